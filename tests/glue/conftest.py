"""One Spark for the whole test process; every test gets a lake of its own (another stage, another landing zone)."""

import itertools
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lake import Lake
from lakehouse.session import local_session

PROJECT_ROOT = Path(__file__).resolve().parents[2]
_stages = itertools.count(1)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A warm session with Iceberg on a scratch catalog."""
    logging.getLogger("SQLQueryContextLogger").disabled = True  # pyspark prints a stack per failed query otherwise
    folder = tmp_path_factory.mktemp("spark")
    session = local_session(
        jars=Path(os.environ.get("CDC_JARS", PROJECT_ROOT / ".jars")) / "spark",
        catalog_db=folder / "catalog.db",
        warehouse=folder / "warehouse",
        scratch=folder / "scratch",
        cores=2,
        memory="1g",
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture
def new_lake(spark: SparkSession, tmp_path: Path) -> Callable[[str | None], Lake]:
    """Makes an empty lake; its argument is the text of tables.yml, the project's own without one."""

    def make(tables: str | None = None) -> Lake:
        number = next(_stages)
        text = tables or (PROJECT_ROOT / "tables.yml").read_text()
        return Lake(spark, stage=f"t{number}", folder=tmp_path / f"lake{number}", tables_yml=text, root=PROJECT_ROOT)

    return make


@pytest.fixture
def lake(new_lake: Callable[[str | None], Lake]) -> Lake:
    """An empty lake with the project's own tables.yml."""
    return new_lake(None)

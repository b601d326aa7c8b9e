"""One Spark for the whole test process; every test gets a lake of its own (another stage, another landing zone)."""

import gc
import itertools
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from lake import Lake
from lakehouse.session import local_session

# A profile that the user of this machine has chosen is none of the clients' here.
os.environ.pop("AWS_PROFILE", None)

PROJECT_ROOT = Path(__file__).resolve().parents[2]
PROCESS_SECONDS = 600
_stages = itertools.count(1)


@pytest.fixture(scope="session")
def session_settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """local_session's arguments; several processes may share its catalog."""
    folder = tmp_path_factory.mktemp("spark")
    return {
        "jars": Path(os.environ.get("CDC_JARS", PROJECT_ROOT / ".jars")) / "spark",
        "catalog_db": folder / "catalog.db",
        "warehouse": folder / "warehouse",
        "scratch": folder / "scratch folder",
        "memory": "2g",  # one session for every test, each with tables of its own
    }


@pytest.fixture(scope="session")
def spark(session_settings: dict[str, Any]) -> Iterator[SparkSession]:
    """A warm session with Iceberg on a scratch catalog."""
    logging.getLogger("SQLQueryContextLogger").disabled = True  # pyspark prints a stack per failed query otherwise
    session = local_session(**session_settings, cores=2)
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(autouse=True)
def frames_given_back() -> Iterator[None]:
    """Frames in reference cycles keep their plans alive in the JVM until Python collects them."""
    yield
    gc.collect()


@pytest.fixture
def new_lake(spark: SparkSession, tmp_path: Path) -> Callable[[str | None], Lake]:
    """Makes an empty lake; its argument is the text of tables.yml, the project's own without one."""

    def make(tables: str | None = None) -> Lake:
        number = next(_stages)
        text = tables or (PROJECT_ROOT / "tables.yml").read_text()
        return Lake(spark, stage=f"t{number}", folder=tmp_path / f"lake {number}", tables_yml=text, root=PROJECT_ROOT)

    return make


@pytest.fixture
def lake(new_lake: Callable[[str | None], Lake]) -> Lake:
    """An empty lake with the project's own tables.yml."""
    return new_lake(None)


@pytest.fixture
def kill_at(session_settings: dict[str, Any], tmp_path: Path) -> Callable[..., None]:
    """Runs a layer on a lake in a process of its own, which is killed (SIGKILL) at a fault point."""

    def kill(lake: Lake, layer: str, point: str, **changes: Any) -> None:
        session = {**session_settings, "scratch": tmp_path / "killed"}
        settings = {
            "session": {name: str(value) for name, value in session.items()},
            "arguments": asdict(lake.run(layer, **changes).arguments),
            "bucket": str(lake.bucket),
        }
        path = os.pathsep.join(str(PROJECT_ROOT / folder) for folder in ("glue", "tests/glue"))
        killed = subprocess.run(
            [sys.executable, str(PROJECT_ROOT / "tests" / "glue" / "run_job.py"), json.dumps(settings)],
            env={**os.environ, "PYTHONPATH": path, "CDC_KILL_AT": point},
            capture_output=True,
            text=True,
            timeout=PROCESS_SECONDS,
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL, f"it was not killed at {point}:\n{killed.stderr[-4000:]}"

    return kill

"""The SQL of silver and gold on hand-computed rows: tests/sql/<layer>/<model>/<case>/.

A case holds the rows of its inputs (<table>.yml, source columns and is_active; a missing column is null, is_active
true) and expected.yml: every row of the result, in the columns it names. The files run through the engine itself.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from lake import Lake
from lakehouse.sqlfile import run_file
from silver_tables import SOURCE_COLUMNS, SilverTables, source_schema, typed

CASES = Path(__file__).resolve().parents[1] / "sql"
Rows = Sequence[Mapping[str, Any]]


def cases(layer: str) -> list[Any]:
    """(model, folder) of every case of a layer."""
    found = sorted(path.parent for path in (CASES / layer).glob("*/*/expected.yml"))
    return [pytest.param(f.parent.name, f, id=f"{f.parent.name}/{f.name}") for f in found]


def read_rows(path: Path) -> Rows:
    return yaml.safe_load(path.read_text()) or []


def assert_rows(actual: Sequence[Mapping[str, Any]], schema: StructType, expected: Rows) -> None:
    """Compares in the columns that the expected rows name; all of them must name the same ones."""
    columns = list(expected[0]) if expected else []
    assert all(list(row) == columns for row in expected), "every expected row must name the same columns"
    types = {f.name: f.dataType for f in schema.fields}
    wanted = [{c: typed(row[c], types[c]) for c in columns} for row in expected]
    found = [{c: row[c] for c in columns} for row in actual]
    assert len(actual) == len(expected)
    assert sorted(found, key=repr) == sorted(wanted, key=repr)


@pytest.mark.parametrize(("table", "folder"), cases("silver"))
def test_silver(table: str, folder: Path, spark: SparkSession, lake: Lake) -> None:
    schema = source_schema(table)
    rows = [[typed(row.get(f.name), f.dataType) for f in schema.fields] for row in read_rows(folder / f"{table}.yml")]
    spark.createDataFrame(rows, schema).drop("is_active").createOrReplaceTempView("sql_case")
    result = run_file(spark, lake.run().assets, f"sql/silver/{table}.sql", {"source": "sql_case"})
    assert_rows([r.asDict() for r in result.collect()], result.schema, read_rows(folder / "expected.yml"))


@pytest.mark.parametrize(("model", "folder"), cases("gold"))
def test_gold(model: str, folder: Path, lake: Lake) -> None:
    inputs = {t: read_rows(folder / f"{t}.yml") for t in SOURCE_COLUMNS if (folder / f"{t}.yml").exists()}
    SilverTables(lake).write(**inputs)
    report = lake.run_layer("gold", models=(model,))
    assert [(t.held, [c for c in t.checks if not c.passed]) for t in report.tables] == [(None, [])]
    result = lake.spark.table(lake.name("gold", model))
    assert_rows([r.asDict() for r in result.collect()], result.schema, read_rows(folder / "expected.yml"))


def test_every_model_has_cases(lake: Lake) -> None:
    files = lake.run().assets.list("sql/silver") + lake.run().assets.list("sql/gold")
    models = {tuple(path.removesuffix(".sql").split("/")[1:3]) for path in files}
    covered = {(f.parent.parent.name, f.parent.name) for f in CASES.glob("*/*/*") if f.is_dir()}
    assert models == covered

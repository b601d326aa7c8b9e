"""The engine's own tables and bronze, made on demand from sql/lake."""

from lakehouse.iceberg import IcebergTable, table_properties
from lakehouse.names import CATALOG, quoted
from lakehouse.run import Run
from lakehouse.sqlfile import run_file

ENGINE_TABLES = ("landed", "quarantine", "bronze_schemas", "silver_truncations")


def ensure_engine_tables(run: Run) -> None:
    """Makes the database and the engine's tables where they are missing."""
    missing = [name for name in ENGINE_TABLES if not run.engine_table(name).exists()]
    if missing:
        run.spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {CATALOG}.{quoted(run.names.database)}")
    for name in missing:
        _create(run, f"sql/lake/{name}.sql", run.engine_table(name))


def ensure_bronze_table(run: Run, table_id: str) -> IcebergTable:
    """The bronze table of a captured table, made when it is missing."""
    table = run.layer_table("bronze", table_id)
    if not table.exists():
        _create(run, "sql/lake/bronze.sql", table)
    return table


def _create(run: Run, path: str, table: IcebergTable) -> None:
    run_file(run.spark, run.assets, path, {"target": table.name, "properties": table_properties()})

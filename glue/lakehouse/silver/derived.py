"""Derived columns: sql/silver/<table>.sql over the typed rows."""

from pyspark.sql import DataFrame

from lakehouse.run import Run
from lakehouse.silver.cache import Cache
from lakehouse.silver.held import HeldError
from lakehouse.sqlfile import run_file

ROW_FLAGS = "row_flags"


def sql_path(table_id: str) -> str:
    """The file with a table's derived columns: 'public.orders' -> sql/silver/orders.sql."""
    schema, _, table = table_id.rpartition(".")
    return f"sql/silver/{table if schema == 'public' else f'{schema}__{table}'}.sql"


def derive(run: Run, table_id: str, rows: DataFrame, cache: Cache) -> DataFrame:
    """The rows with the table's derived columns, row_flags among them where the file has any.

    Raises HeldError when the file is not SQL over these columns, or gives a column twice.
    """
    path = sql_path(table_id)
    if path not in run.assets.list("sql/silver"):
        return rows
    try:
        derived = run_file(run.spark, run.assets, path, {"source": cache.view(rows)})
    except Exception as error:
        raise HeldError(f"{table_id}: {str(error).partition(chr(10))[0]}") from error
    names = [name.lower() for name in derived.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise HeldError(f"{table_id}: {path} derives {twice[0]}, which the source has as a column: rename it there")
    return derived

"""Derived columns: sql/silver/<table>.sql over the typed rows."""

import uuid
from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql.functions import expr

from lakehouse.names import quoted
from lakehouse.run import Run
from lakehouse.silver.held import HeldError
from lakehouse.sqlfile import run_file

ROW_FLAGS = "row_flags"


def sql_path(table_id: str) -> str:
    """The file with a table's derived columns: 'public.orders' -> sql/silver/orders.sql."""
    schema, _, table = table_id.rpartition(".")
    return f"sql/silver/{table if schema == 'public' else f'{schema}__{table}'}.sql"


def derive(run: Run, table_id: str, rows: DataFrame) -> tuple[DataFrame, Mapping[str, str]]:
    """The rows with the table's derived columns, and those columns' types; row_flags go into quality_flags.

    Raises HeldError when the file is not SQL over these columns, or gives a column twice.
    """
    path = sql_path(table_id)
    if path not in run.assets.list("sql/silver"):
        return rows, {}
    view = f"silver_source_{uuid.uuid4().hex}"
    rows.createOrReplaceTempView(view)
    try:
        derived = run_file(run.spark, run.assets, path, {"source": view})
    except Exception as error:
        raise HeldError(f"{table_id}: {str(error).partition(chr(10))[0]}") from error
    finally:
        run.spark.catalog.dropTempView(view)
    names = [name.lower() for name in derived.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise HeldError(f"{table_id}: {path} derives {twice[0]}, which the source has as a column: rename it there")
    made = {name: type_ for name, type_ in derived.dtypes if name not in set(rows.columns) | {ROW_FLAGS}}
    if ROW_FLAGS not in derived.columns:
        return derived, made
    flags = f"IF(__kind = 'values', array_distinct(concat(quality_flags, array_compact({ROW_FLAGS}))), quality_flags)"
    return derived.withColumn("quality_flags", expr(flags)).drop(ROW_FLAGS), made


def cast_to(rows: DataFrame, types: Mapping[str, str]) -> DataFrame:
    """The rows with these columns cast, where they are of another type."""
    have = dict(rows.dtypes)
    casts = {n: expr(f"CAST({quoted(n)} AS {t})") for n, t in types.items() if n in have and have[n] != t}
    return rows.withColumns(casts) if casts else rows

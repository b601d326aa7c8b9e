"""Read-only SQL over the lake for people and tests; what Athena is on AWS."""

import base64
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import Row, SparkSession
from pyspark.sql.types import TimestampType

_READS = {"SELECT", "WITH", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "FROM"}
_WRITES = re.compile(r"InsertInto|MergeInto|DeleteFrom|UpdateTable|CreateTable|ReplaceTable|DropTable|Truncate")
_SAFE_INTEGER = 2**53 - 1
_database = ""


class QueryError(Exception):
    """The query can't be run; the message is for the person who wrote it."""


def use_database(name: str) -> None:
    """Sets the database that unqualified table names mean."""
    global _database
    _database = name


def run_query(spark: SparkSession, sql: str, limit: int) -> dict[str, Any]:
    """At most `limit` rows of a reading statement as JSON values: decimals and integers beyond 2^53 as text,
    timestamps as ISO 8601. Raises QueryError."""
    try:
        _refuse_writes(spark, sql)
        if spark.catalog.databaseExists(f"glue_catalog.{_database}"):
            spark.sql(f"USE glue_catalog.`{_database}`")
        frame = spark.sql(sql)
        rows = frame.limit(limit).collect() if frame.columns else []
    except PySparkException as error:
        raise QueryError(str(error).split("\n\nJVM stacktrace", 1)[0].strip()) from error
    zoned = {field.name for field in frame.schema.fields if isinstance(field.dataType, TimestampType)}
    return {
        "columns": [{"name": field.name, "type": field.dataType.simpleString()} for field in frame.schema.fields],
        "rows": [[_json(value, name in zoned) for name, value in zip(frame.columns, row, strict=True)] for row in rows],
    }


def _refuse_writes(spark: SparkSession, sql: str) -> None:
    plan: Any = spark._jsparkSession.sessionState().sqlParser().parsePlan(sql)  # type: ignore[union-attr]
    first = re.match(r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*(\w+)", sql, re.DOTALL)
    if not first or first.group(1).upper() not in _READS or _WRITES.search(plan.treeString()):
        raise QueryError("only reading statements are run here: SELECT, WITH, SHOW, DESCRIBE, EXPLAIN")


def _json(value: Any, zoned: bool) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _SAFE_INTEGER else str(value)
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat() + ("Z" if zoned else "")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, Row):
        return {name: _json(item, zoned) for name, item in value.asDict().items()}
    if isinstance(value, dict):
        return {str(name): _json(item, zoned) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(item, zoned) for item in value]
    return str(value)

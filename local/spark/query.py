"""Read-only SQL over the lake for people and tests; what Athena is on AWS."""

import base64
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.types import ArrayType, DataType, MapType, StructType, TimestampType

_READS = {"SELECT", "WITH", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "FROM"}
_WRITES = re.compile(r"InsertInto|MergeInto|DeleteFrom|UpdateTable|CreateTable|ReplaceTable|DropTable|Truncate|Command")
_COMMENT_OR_SPACE = re.compile(r"(?:\s|\(|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
_JVM_STACK = re.compile(r"\n+\s*(?:JVM stacktrace|at [\w.$]+\().*", re.DOTALL)
_SAFE_INTEGER = 2**53 - 1
MAX_ROWS = 100_000


class QueryError(Exception):
    """The query can't be run; the message is for the person who wrote it."""


class Queries:
    """Runs queries in a Spark session of their own beside the jobs'; `database` is the one of unqualified names."""

    def __init__(self, spark: SparkSession, database: str) -> None:
        self._spark = spark.newSession()
        self._database = f"glue_catalog.`{database}`"
        self._in_database = False

    def run(self, sql: str, limit: int) -> dict[str, Any]:
        """At most `limit` rows of a reading statement as JSON values: decimals and integers beyond 2^53 as text,
        timestamps as ISO 8601 (with Z when they are moments), bytes as base64. Raises QueryError."""
        if not 0 <= limit <= MAX_ROWS:
            raise QueryError(f"limit is {limit}: use 0 to {MAX_ROWS}")
        try:
            self._use_database()
            self._refuse_writes(sql)
            frame = self._spark.sql(sql)
            rows = frame.limit(limit).collect() if frame.columns else []
        except (PySparkException, Py4JJavaError) as error:
            raise QueryError(_message(error)) from error
        fields = frame.schema.fields
        return {
            "columns": [{"name": field.name, "type": field.dataType.simpleString()} for field in fields],
            "rows": [[_json(v, field.dataType) for v, field in zip(row, fields, strict=True)] for row in rows],
        }

    def _use_database(self) -> None:
        """The database exists from the first bronze run on."""
        if not self._in_database and self._spark.catalog.databaseExists(self._database):
            self._spark.sql(f"USE {self._database}")
            self._in_database = True

    def _refuse_writes(self, sql: str) -> None:
        first = re.match(r"\w+", sql[cast(re.Match[str], _COMMENT_OR_SPACE.match(sql)).end() :])
        plan = cast(Any, self._spark)._jsparkSession.sessionState().sqlParser().parsePlan(sql)
        if not first or first.group().upper() not in _READS or _WRITES.search(_nodes(plan)):
            raise QueryError("only reading statements are run here: SELECT, WITH, SHOW, DESCRIBE, EXPLAIN")


def _nodes(plan: Any) -> str:
    """The names of the plan's operators, without what they hold; an EXPLAIN only shows its plan."""
    if str(plan.nodeName()).startswith(("Explain", "Show", "Describe")):
        return ""
    return "\n".join(re.findall(r"^[\s:+\-|']*(\w+)", str(plan.treeString()), re.MULTILINE))


def _message(error: PySparkException | Py4JJavaError) -> str:
    """The error without the JVM's stack."""
    if isinstance(error, Py4JJavaError):
        cause: Any = error.java_exception
        while cause.getCause() is not None:
            cause = cause.getCause()
        return _JVM_STACK.sub("", str(cause.toString())).strip()
    return _JVM_STACK.sub("", str(error)).strip()


def _json(value: Any, kind: DataType) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _SAFE_INTEGER else str(value)
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat() + ("Z" if isinstance(kind, TimestampType) else "")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(kind, StructType):
        return {field.name: _json(item, field.dataType) for field, item in zip(kind.fields, value, strict=True)}
    if isinstance(kind, ArrayType):
        return [_json(item, kind.elementType) for item in value]
    if isinstance(kind, MapType):
        return {str(_json(name, kind.keyType)): _json(item, kind.valueType) for name, item in value.items()}
    return str(value)

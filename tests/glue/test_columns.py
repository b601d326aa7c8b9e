from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from lakehouse.columns import (
    Column,
    NotWidenableError,
    common_type,
    decoded,
    decoded_by_schema,
    failure,
    holds,
    may_hide_unchanged,
    widened,
)

LARGEST = "9" * 28 + "." + "9" * 10
# encoding, type, text of the JSON value, value in the lake, what the flag quotes
VALUES: list[tuple[str, str, str | None, Any, str | None]] = [
    ("number", "int", "-2147483648", -2147483648, None),
    ("number", "int", "2147483648", None, "2147483648"),
    ("number", "int", "1.7", None, "1.7"),
    ("number", "int", None, None, None),
    ("number", "bigint", "9223372036854775807", 9223372036854775807, None),
    ("number", "decimal(12,2)", "12", Decimal("12.00"), None),
    ("decimal-string", "decimal(10,2)", "1.50", Decimal("1.50"), None),
    ("decimal-string", "decimal(10,2)", "-0.05", Decimal("-0.05"), None),
    ("decimal-string", "decimal(10,2)", "1.500", Decimal("1.50"), None),
    ("decimal-string", "decimal(10,2)", "1.555", None, "1.555"),
    ("decimal-string", "decimal(10,2)", "123456789.00", None, "123456789.00"),
    ("decimal-string", "decimal(10,2)", "NAN", None, "NAN"),
    ("decimal-string", "decimal(38,10)", "POSITIVE_INFINITY", None, "POSITIVE_INFINITY"),
    ("decimal-string", "decimal(38,10)", LARGEST, Decimal(LARGEST), None),
    ("decimal-string", "decimal(38,10)", "1" + "0" * 100, None, "1" + "0" * 39),
    ("decimal-string", "decimal(38,0)", "1200." + "0" * 2046, Decimal(1200), None),
    ("float", "double", "0.1", 0.1, None),
    ("float", "double", "-Infinity", float("-inf"), None),
    ("float", "float", "1.5", 1.5, None),
    ("boolean", "boolean", "true", True, None),
    ("base64", "binary", "3q2+", b"\xde\xad\xbe", None),
    ("base64", "binary", "", b"", None),
    ("base64", "binary", "!", None, "!"),
    ("epoch-days", "date", "19782", date(2024, 2, 29), None),
    ("epoch-days", "date", "-719162", date(1, 1, 1), None),
    ("epoch-days", "date", "2147483647", None, "2147483647"),
    ("micros-of-day", "string", "47655123456", "13:14:15.123456", None),
    ("micros-of-day", "string", "86400000000", "24:00:00.000000", None),
    ("micros-of-day", "string", "-1", None, "-1"),
    ("epoch-millis", "timestamp_ntz", "1709212455123", datetime(2024, 2, 29, 13, 14, 15, 123000), None),
    ("epoch-millis", "timestamp_ntz", "9223372036825200000", None, "9223372036825200000"),
    ("epoch-micros", "timestamp_ntz", "1709212455123456", datetime(2024, 2, 29, 13, 14, 15, 123456), None),
    ("epoch-micros", "timestamp_ntz", "-1", datetime(1969, 12, 31, 23, 59, 59, 999999), None),
    ("epoch-micros", "timestamp_ntz", "-9223372036854775808", None, "-9223372036854775808"),
    ("iso-timestamp", "string_of_timestamp", "2024-02-29T11:14:15.123456Z", "2024-02-29 11:14:15.123456", None),
    ("iso-timestamp", "string_of_timestamp", "-infinity", None, "-infinity"),
    ("iso-timestamp", "string_of_timestamp", "-0043-03-15T12:00:00.000000Z", None, "-0043-03-15T12:00:00.000000Z"),
    ("iso-timestamp", "string_of_timestamp", "+294276-12-31T00:00:00Z", None, "+294276-12-31T00:00:00Z"),
    ("json", "string", '{"x":1.5}', '{"x":1.5}', None),
    ("string", "string", "", "", None),
    ("array:number", "array<int>", "[1,null,-3]", [1, None, -3], None),
    ("array:number", "array<bigint>", "[9007199254740993]", [9007199254740993], None),
    ("array:number", "array<int>", "[1,2147483648]", [1, None], "2147483648"),
    ("array:decimal-string", "array<decimal(5,2)>", '["1.10",null]', [Decimal("1.10"), None], None),
    ("array:string", "array<string>", '["a","q\\"x",null,""]', ["a", 'q"x', None, ""], None),
    ("array:epoch-days", "array<date>", "[]", [], None),
    ("array:number", "array<int>", "{}", None, "{}"),
    ("number", "string", "12", "12", None),
    ("array:number", "string", "[1,2]", "[1,2]", None),
]


def test_texts_become_lake_values_exactly_or_null_with_the_original_named(spark: SparkSession) -> None:
    columns: list[str] = []
    for i, (encoding, type_, text, _, _) in enumerate(VALUES):
        # a view's column, so that nothing is folded away before it runs
        lake_type = "timestamp" if type_ == "string_of_timestamp" else type_
        value = decoded(f"t{i}", encoding, lake_type)
        columns.append(f"CAST({value} AS STRING) AS v{i}" if type_ == "string_of_timestamp" else f"{value} AS v{i}")
        columns.append(f"{failure(f't{i}', encoding, lake_type) or 'CAST(NULL AS STRING)'} AS f{i}")
        assert text is None or "'" not in text
    texts = [[text for _, _, text, _, _ in VALUES]]
    rows = spark.createDataFrame(texts, ", ".join(f"t{i} STRING" for i in range(len(VALUES))))
    row = rows.selectExpr(*columns).collect()[0]
    for i, (encoding, type_, text, value, flag) in enumerate(VALUES):
        assert (row[f"v{i}"], row[f"f{i}"]) == (value, flag), (encoding, type_, text)


def test_the_schema_of_an_event_decides_how_a_column_is_read(spark: SparkSession) -> None:
    schemas = {"s1": Column("at", "timestamp_ntz", "epoch-millis"), "s2": Column("at", "timestamp_ntz", "epoch-micros")}
    rows = spark.createDataFrame([("s1", "1000"), ("s2", "1000"), ("s3", "1000")], "sid STRING, t STRING")
    found = rows.selectExpr(decoded_by_schema("t", "sid", schemas, "timestamp_ntz") + " AS at").collect()
    assert [r["at"] for r in found] == [datetime(1970, 1, 1, 0, 0, 1), datetime(1970, 1, 1, 0, 0, 0, 1000), None]


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(ValueError, match="older than the enrichment"):
        decoded("t", "roman-numerals", "int")


@pytest.mark.parametrize(
    ("current", "new", "becomes"),
    [
        ("int", "int", "int"),
        ("int", "bigint", "bigint"),
        ("bigint", "int", "bigint"),
        ("float", "double", "double"),
        ("double", "float", "double"),
        ("decimal(10,2)", "decimal(12,2)", "decimal(12,2)"),
        ("decimal(12,2)", "decimal(10,2)", "decimal(12,2)"),
        ("decimal(12,4)", "decimal(6,1)", "decimal(12,4)"),
        ("decimal(12,2)", "int", "decimal(12,2)"),
        ("array<int>", "array<bigint>", "array<bigint>"),
        ("array<decimal(5,2)>", "array<decimal(9,2)>", "array<decimal(9,2)>"),
    ],
)
def test_a_column_widens_as_iceberg_can(current: str, new: str, becomes: str) -> None:
    assert widened(current, new) == becomes


@pytest.mark.parametrize(
    ("current", "new"),
    [
        ("int", "string"),
        ("string", "int"),
        ("decimal(10,2)", "decimal(12,4)"),
        ("decimal(10,2)", "bigint"),
        ("int", "double"),
        ("date", "timestamp"),
        ("int", "array<int>"),
        ("timestamp", "timestamp_ntz"),
    ],
)
def test_any_other_change_is_refused(current: str, new: str) -> None:
    with pytest.raises(NotWidenableError, match=r"from .* to"):
        widened(current, new)


def test_a_new_column_takes_a_type_that_holds_all_it_meets() -> None:
    assert common_type(["decimal(10,2)", "decimal(12,4)"]) == "decimal(12,4)"
    assert common_type(["decimal(10,2)", "decimal(6,4)"]) == "decimal(12,4)"
    assert common_type(["int", "bigint"]) == common_type(["bigint", "int"]) == "bigint"
    assert common_type(["int", "double"]) == "double"
    with pytest.raises(NotWidenableError):
        common_type(["int", "string"])
    assert not holds("float", "int")


def test_null_of_some_arrays_may_stand_for_an_unchanged_value() -> None:
    assert may_hide_unchanged("array:decimal-string")
    assert may_hide_unchanged("json")
    assert not may_hide_unchanged("array:string")
    assert not may_hide_unchanged("decimal-string")

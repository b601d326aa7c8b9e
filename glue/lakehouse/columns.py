"""Column types of the lake: how Debezium's JSON texts become them, and how they may widen.

The encodings are the contract of the pack (docs/architecture.md, Column types and encodings).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lakehouse.names import literal, quoted

UNREPRESENTABLE = "unrepresentable"
ORIGINAL_LENGTH = 40  # characters of an original that a quality flag quotes

# What Iceberg, Parquet and Athena all hold: years 1 to 9999.
_DAYS = (-719_162, 2_932_896)
_MICROS = (-62_135_596_800_000_000, 253_402_300_799_999_999)
_MICROS_OF_DAY = (0, 86_400_000_000)

_DECIMAL = re.compile(r"^decimal\((\d+),\s*(\d+)\)$")
_ARRAY = re.compile(r"^array<(.+)>$")
_MARKED = ("string", "number", "base64", "epoch-days")
_EXACT = ("string", "json")  # encodings whose text is the value


@dataclass(frozen=True)
class Column:
    """A column of one schema: `name` at the source, `type` in the lake, `encoding` of its JSON."""

    name: str
    type: str
    encoding: str


class NotWidenableError(Exception):
    """A column changed to a type that its lake column can't grow into."""


def decoded(text: str, encoding: str, type_: str) -> str:
    """SQL that turns the JSON text (a SQL expression of type string) of one encoding into a lake type.

    Null when the text is null and when the type can't hold the value; of an array, only the elements that it can't.
    """
    if type_ == "string" and encoding not in (*_EXACT, "micros-of-day"):
        return text  # a column that keeps values of several types as they were sent
    if encoding.startswith("array:"):
        element = decoded("e", encoding.removeprefix("array:"), _element(type_))
        elements = _elements(text)
        return elements if element == "e" else f"transform({elements}, e -> {element})"
    if encoding in _EXACT:
        return text
    if encoding in ("number", "float", "boolean"):
        return f"try_cast({text} AS {type_})"
    if encoding == "base64":
        return f"try_to_binary({text}, 'base64')"
    if encoding == "decimal-string":
        return _decimal(text, type_)
    if encoding == "epoch-days":
        return _between(text, _DAYS, f"date_from_unix_date(CAST({text} AS INT))")
    if encoding == "epoch-millis":
        low, high = _MICROS[0] // 1000, _MICROS[1] // 1000
        return _between(text, (low, high), f"CAST(timestamp_micros(CAST({text} AS BIGINT) * 1000) AS TIMESTAMP_NTZ)")
    if encoding == "epoch-micros":
        return _between(text, _MICROS, f"CAST(timestamp_micros(CAST({text} AS BIGINT)) AS TIMESTAMP_NTZ)")
    if encoding == "iso-timestamp":
        moment = f"try_cast({text} AS TIMESTAMP)"
        return f"CASE WHEN unix_micros({moment}) BETWEEN {_MICROS[0]} AND {_MICROS[1]} THEN {moment} END"
    if encoding == "micros-of-day":
        return _between(text, _MICROS_OF_DAY, _time_of_day(f"CAST({text} AS BIGINT)"))
    raise ValueError(f"unknown encoding {encoding!r}: this engine is older than the enrichment that wrote it")


def failure(text: str, encoding: str, type_: str) -> str | None:
    """SQL of the original text (cut short) that `decoded` could not turn into the type, else null.

    None when an encoding can't fail.
    """
    value = decoded(text, encoding, type_)
    if value == text:
        return None
    if encoding.startswith("array:"):
        element = decoded("e", encoding.removeprefix("array:"), _element(type_))
        whole = f"CASE WHEN {text} IS NOT NULL AND {value} IS NULL THEN {text} END"
        if element == "e":
            original = whole
        else:
            bad = f"filter({_elements(text)}, e -> e IS NOT NULL AND {element} IS NULL)"
            original = f"coalesce({whole}, try_element_at({bad}, 1))"
    else:
        original = f"CASE WHEN {text} IS NOT NULL AND {value} IS NULL THEN {text} END"
    return f"left({original}, {ORIGINAL_LENGTH})"


def may_hide_unchanged(encoding: str) -> bool:
    """Whether Debezium sends plain null for an unchanged out-of-line value of it, so that null may mean either.

    Debezium 3.7.0 has placeholders for arrays of text, uuid, int, bigint, bytea and date only, and none for geometric
    types (functions/cdc/unavailable-value.ts).
    """
    return encoding == "json" or (encoding.startswith("array:") and encoding.removeprefix("array:") not in _MARKED)


def widened(current: str, new: str) -> str:
    """The narrowest type that holds both and that an Iceberg column of type `current` may become.

    Iceberg widens int to bigint, float to double, and a decimal's precision at the same scale
    (https://iceberg.apache.org/spec/#schema-evolution). Raises NotWidenableError.
    """
    if holds(current, new):
        return current
    pairs = {("int", "bigint"), ("float", "double")}
    if (current, new) in pairs:
        return new
    left, right = _DECIMAL.match(current), _DECIMAL.match(new)
    if left and right and left[2] == right[2]:
        return new
    left, right = _ARRAY.match(current), _ARRAY.match(new)
    if left and right:
        return f"array<{widened(left[1], right[1])}>"
    raise NotWidenableError(f"from {current} to {new}")


def holds(wide: str, narrow: str) -> bool:
    """Whether every value of `narrow` is a value of `wide`, its encoding aside."""
    if wide == narrow or (wide, narrow) in {("bigint", "int"), ("double", "float"), ("double", "int")}:
        return True
    target, source = _DECIMAL.match(wide), _DECIMAL.match(narrow)
    if target:
        scale = int(target[2])
        whole = int(target[1]) - scale
        if source:
            return int(source[1]) - int(source[2]) <= whole and int(source[2]) <= scale
        return (narrow == "int" and whole >= 10) or (narrow == "bigint" and whole >= 19)
    left, right = _ARRAY.match(wide), _ARRAY.match(narrow)
    return bool(left and right and holds(left[1], right[1]))


def common_type(types: Sequence[str]) -> str:
    """The type of a new lake column that meets several types at once. Raises NotWidenableError."""
    result = types[0]
    for type_ in types[1:]:
        if holds(type_, result):
            result = type_
            continue
        left, right = _DECIMAL.match(result), _DECIMAL.match(type_)
        if left and right:
            scale = max(int(left[2]), int(right[2]))
            precision = max(int(left[1]) - int(left[2]), int(right[1]) - int(right[2])) + scale
            if precision <= 38:
                result = f"decimal({precision},{scale})"
                continue
        result = widened(result, type_)
    return result


def decoded_by_schema(text: str, schema_id: str, schemas: Mapping[str, Column], type_: str) -> str:
    """`decoded` where the encoding depends on the event's schema: `schemas` is this column by schema id."""
    return _by_schema(schema_id, schemas, {e: decoded(text, e, type_) for e in _encodings(schemas)}, type_)


def failure_by_schema(text: str, schema_id: str, schemas: Mapping[str, Column], type_: str) -> str | None:
    """`failure` where the encoding depends on the event's schema; None when none of them can fail."""
    branches = {e: failure(text, e, type_) for e in _encodings(schemas)}
    if not any(branches.values()):
        return None
    return _by_schema(schema_id, schemas, {e: sql or "CAST(NULL AS STRING)" for e, sql in branches.items()}, "string")


def json_fields(names: Sequence[str]) -> str:
    """The schema for from_json that reads these fields as their texts."""
    return literal(", ".join(f"{quoted(name)} STRING" for name in names))


def _encodings(schemas: Mapping[str, Column]) -> list[str]:
    return sorted({column.encoding for column in schemas.values()})


def _by_schema(schema_id: str, schemas: Mapping[str, Column], branches: Mapping[str, str], type_: str) -> str:
    if not branches:
        return f"CAST(NULL AS {type_})"
    if len(branches) == 1:
        return next(iter(branches.values()))
    cases = []
    for encoding, sql in branches.items():
        ids = ", ".join(literal(i) for i, column in schemas.items() if column.encoding == encoding)
        cases.append(f"WHEN {schema_id} IN ({ids}) THEN {sql}")
    return f"CASE {' '.join(cases)} END"


def _elements(text: str) -> str:
    return f"from_json({text}, 'ARRAY<STRING>')"


def _element(type_: str) -> str:
    match = _ARRAY.match(type_)
    if not match:
        raise ValueError(f"an array's column can't be of type {type_}")
    return match[1]


def _between(text: str, limits: tuple[int, int], sql: str) -> str:
    return f"CASE WHEN try_cast({text} AS BIGINT) BETWEEN {limits[0]} AND {limits[1]} THEN {sql} END"


def _decimal(text: str, type_: str) -> str:
    match = _DECIMAL.match(type_)
    if not match:
        return f"try_cast({text} AS {type_})"
    # a cast would round what does not fit the scale; the value must be exact or null
    exact = literal(rf"^[+-]?[0-9]*[.]?[0-9]{{0,{match[2]}}}0*$")
    return f"CASE WHEN {text} RLIKE {exact} THEN try_cast({text} AS {type_}) END"


def _time_of_day(micros: str) -> str:
    hours, minutes = f"{micros} div 3600000000", f"({micros} div 60000000) % 60"
    seconds, rest = f"({micros} div 1000000) % 60", f"{micros} % 1000000"
    return f"format_string('%02d:%02d:%02d.%06d', {hours}, {minutes}, {seconds}, {rest})"

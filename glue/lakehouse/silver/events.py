"""The change events of one table's news: keys typed, positions resolved, kept for the steps that read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql.functions import expr

from lakehouse.columns import Column, decoded_by_schema, json_fields
from lakehouse.names import literal, quoted
from lakehouse.run import Run
from lakehouse.silver.cache import Cache
from lakehouse.silver.intake import Intake

# Columns of the engine beside the source's own start with "__": a source column of such a name is renamed (shape.py).
POSITION = (
    "named_struct('epoch', __epoch, 'commit_lsn', __commit_lsn, 'phase', __phase, 'lsn', __lsn, 'tx_order', __tx_order)"
)
BROADCAST_ROWS = 100_000
"""Events or keys up to which they are sent to every task instead of being shuffled."""
_RANGES = ("int", "bigint", "string")  # key types whose literal ranges prune files
_RANGE_TEXT = 200  # longer key texts bound nothing worth their length

_EVENT_COLUMNS = (
    "epoch AS __epoch",
    "cluster AS __cluster",
    "topic AS __topic",
    "`partition` AS __partition",
    "`offset` AS __offset",
    "op AS __op",
    # docs/architecture.md, Position
    "CASE WHEN snapshot IS NULL THEN commit_lsn ELSE coalesce(commit_lsn, lsn) END AS __commit_lsn",
    "IF(snapshot IS NULL, 1, 0) AS __phase",
    "coalesce(lsn, commit_lsn, 0L) AS __lsn",
    "IF(snapshot IS NULL, greatest(coalesce(tx_order, 1L), 1L), 0L) AS __tx_order",
    "tx_order IS NOT NULL AS __tx_known",
    "source_ts AS __source_ts",
    "key AS __key",
    "prior_key AS __prior_key",
    "coalesce(unchanged, CAST(array() AS ARRAY<STRING>)) AS __unchanged",
    "after AS __after",
    "before AS __before",
    "schema_id AS __schema_id",
)


@dataclass(frozen=True, order=True)
class Position:
    """Where an event stands (docs/architecture.md, Position)."""

    epoch: int
    commit_lsn: int
    phase: int
    lsn: int
    tx_order: int

    def sql(self) -> str:
        """The position as a SQL struct that compares with POSITION."""
        return (
            f"named_struct('epoch', {self.epoch}, 'commit_lsn', {self.commit_lsn}L, 'phase', {self.phase}, "
            f"'lsn', {self.lsn}L, 'tx_order', {self.tx_order}L)"
        )


@dataclass(frozen=True, order=True)
class Truncation:
    """A TRUNCATE and when it was committed at the source (microseconds since 1970)."""

    position: Position
    at: int | None

    @property
    def at_sql(self) -> str:
        """The moment as SQL."""
        return f"timestamp_micros({self.at}L)" if self.at is not None else "CAST(NULL AS TIMESTAMP)"


@dataclass(frozen=True)
class Profile:
    """What a batch of events holds, from one pass over it."""

    events: int  # up to the frontier
    late: int
    schema_ids: tuple[str, ...]
    unchanged: tuple[str, ...]  # columns that some event left out as unchanged
    linked: int  # events that take an unchanged value from another key's row
    streamed_without_commit: int
    keyless: int  # events that change a row and have no key
    key_names: tuple[tuple[str, ...], ...]
    key_ranges: tuple[tuple[Any, Any] | None, ...]
    deletions: int
    truncations: int
    high_water_lsn: int | None
    low_lsn: int | None
    first: Position | None  # of the events that change rows; None when one of them has no commit_lsn


@dataclass(frozen=True)
class Events:
    """A batch: `rows` cached, with the key's columns as __k0, __k1 ..."""

    rows: DataFrame
    profile: Profile


def read_events(
    run: Run,
    intake: Intake,
    key: Sequence[str],
    key_types: Sequence[str],
    schemas: Mapping[str, Sequence[Column]],
    cache: Cache,
) -> Events:
    """Reads and profiles the news of a table.

    `schemas` are the table's schemas by id; key columns are decoded with the schema that each event came with.
    """
    columns = [*_EVENT_COLUMNS, f"{intake.late()} AS __late"]
    columns += [
        f"{sql} AS {name}" for name, sql in key_columns("key", "schema_id", key, key_types, schemas, "__k").items()
    ]
    bronze = run.layer_table("bronze", intake.table_id)
    rows = cache.keep(cache.sql(f"SELECT {', '.join(columns)} FROM {bronze.name} WHERE {intake.where()}"))
    profile = _profile(rows, key_types)
    if profile.streamed_without_commit:
        rows = _after_snapshot(run, intake, rows)
    return Events(rows, profile)


def key_columns(
    text: str,
    schema_id: str,
    key: Sequence[str],
    types: Sequence[str],
    schemas: Mapping[str, Sequence[Column]],
    name: str,
) -> dict[str, str]:
    """SQL of the columns of a key's JSON text as lake types, by alias: name0, name1 ..."""
    parsed = f"from_json({text}, {json_fields(key)})"
    out = {}
    for i, (column, type_) in enumerate(zip(key, types, strict=True)):
        by_schema = {sid: c for sid, cs in schemas.items() for c in cs if c.name == column}
        out[f"{name}{i}"] = decoded_by_schema(f"{parsed}.{quoted(column)}", schema_id, by_schema, type_)
    return out


def first_key(run: Run, intake: Intake) -> tuple[str, ...] | None:
    """The columns of the first Kafka key among the news; () when rows change without one, None when no row changes."""
    bronze = run.spark.table(run.layer_table("bronze", intake.table_id).name)
    rows = bronze.where(intake.where()).where("op <> 't'")
    found = rows.selectExpr("coalesce(json_object_keys(key), array()) AS names").limit(1).collect()
    return tuple(found[0].names) if found else None


def read_truncations(events: Events) -> list[Truncation]:
    """The TRUNCATEs of a batch, in order, each once."""
    if not events.profile.truncations:
        return []
    rows = events.rows.where("__op = 't' AND NOT __late").selectExpr(
        f"{POSITION} AS position", "unix_micros(__source_ts) AS at"
    )
    return sorted({Truncation(Position(**row.position.asDict()), row.at) for row in rows.collect()})


def _profile(rows: DataFrame, key_types: Sequence[str]) -> Profile:
    aggregates = {
        "events": "count_if(NOT __late)",
        "late": "count_if(__late)",
        "schema_ids": "collect_set(IF(__late, NULL, __schema_id))",
        "unchanged": "array_distinct(flatten(collect_set(__unchanged)))",
        "linked": "count_if(__prior_key IS NOT NULL AND size(__unchanged) > 0)",
        "uncommitted": "count_if(__commit_lsn IS NULL)",
        "keyless": "count_if(__key IS NULL AND __op <> 't')",
        "key_names": "collect_set(json_object_keys(__key))",
        "deletions": "count_if(__op = 'd' AND NOT __late)",
        "truncations": "count_if(__op = 't' AND NOT __late)",
        "high_water": "max(IF(__late, NULL, __lsn))",
        "low": "min(IF(__late, NULL, __lsn))",
        "first": f"min(IF(__late OR __op = 't', NULL, {POSITION}))",
    }
    for i in ranged(key_types):
        aggregates |= {f"low{i}": f"min(__k{i})", f"high{i}": f"max(__k{i})"}
    row = rows.selectExpr(*[f"{sql} AS {name}" for name, sql in aggregates.items()]).collect()[0]
    return Profile(
        events=row.events,
        late=row.late,
        schema_ids=tuple(sorted(row.schema_ids)),
        unchanged=tuple(sorted(row.unchanged)),
        linked=row.linked,
        streamed_without_commit=row.uncommitted,
        keyless=row.keyless,
        key_names=tuple(sorted(tuple(names) for names in row.key_names)),
        key_ranges=range_limits(row, key_types),
        deletions=row.deletions,
        truncations=row.truncations,
        high_water_lsn=row.high_water,
        low_lsn=row.low,
        first=Position(**row.first.asDict()) if row.first and not row.uncommitted else None,
    )


def ranged(key_types: Sequence[str]) -> list[int]:
    """The key's columns whose literal bounds prune files."""
    return [i for i, type_ in enumerate(key_types) if type_ in _RANGES]


def range_limits(row: Row, key_types: Sequence[str]) -> tuple[tuple[Any, Any] | None, ...]:
    """Bounds of the key's columns from the aggregates low0, high0 ... of those `ranged`."""
    found = ranged(key_types)
    return tuple(_limits(row[f"low{i}"], row[f"high{i}"]) if i in found else None for i in range(len(key_types)))


def _limits(low: Any, high: Any) -> tuple[Any, Any] | None:
    if low is None or (isinstance(low, str) and len(low) + len(high) > _RANGE_TEXT):
        return None
    return low, high


def key_range(alias: str, key: Sequence[str], ranges: Sequence[tuple[Any, Any] | None]) -> str:
    """SQL that bounds a lake table's key columns by literals, so that files outside are not read."""
    prefix = f"{alias}." if alias else ""
    bounds = [
        f"{prefix}{quoted(column)} BETWEEN {_literal(limits[0])} AND {_literal(limits[1])}"
        for column, limits in zip(key, ranges, strict=True)
        if limits
    ]
    return " AND ".join(bounds) or "true"


def _literal(value: Any) -> str:
    return literal(value) if isinstance(value, str) else str(value)


def _after_snapshot(run: Run, intake: Intake, rows: DataFrame) -> DataFrame:
    """Streamed events without commit_lsn rank above every snapshot row at a lower offset of their partition.

    Without a snapshot they rank by their own LSN, which lies before the end of their transaction.
    """
    before = []
    bronze = run.spark.table(run.layer_table("bronze", intake.table_id).name)
    for piece in intake.slices:
        p = piece.partition
        seen = bronze.where(f"{piece.where_before()} AND snapshot IS NOT NULL")
        top = seen.selectExpr("max(coalesce(commit_lsn, lsn)) AS top").collect()[0].top
        before.append(
            f"WHEN __epoch = {p.epoch} AND __cluster = {literal(p.cluster)} AND __topic = {literal(p.topic)} "
            f"AND __partition = {p.partition} THEN {'NULL' if top is None else f'{top}L'}"
        )
    earlier = f"CASE {' '.join(before)} END"
    in_batch = (
        "max(IF(__phase = 0, __commit_lsn, NULL)) OVER ("
        "PARTITION BY __epoch, __cluster, __topic, __partition ORDER BY __offset)"
    )
    resolved = f"coalesce(__commit_lsn, greatest({earlier}, {in_batch}), __lsn)"
    return rows.withColumn("__commit_lsn", expr(resolved))

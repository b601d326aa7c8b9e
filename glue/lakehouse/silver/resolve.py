"""From change events to the newest row of each key: order, incarnations, deletions, TRUNCATE and unchanged values.

All windows run over one key's events in the order of their positions, so one sort serves them all. A key's events fall
into incarnations: one starts at a c or r, after a d, and after a TRUNCATE. A value that an event left out as unchanged
comes from the nearest earlier event of the same incarnation that has it; else from silver's row, when the incarnation
began there; else, where the incarnation began with a key change, from the row that the old key had then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql.functions import expr

from lakehouse import position
from lakehouse.columns import (
    UNREPRESENTABLE,
    Column,
    decoded_by_schema,
    failure_by_schema,
    json_fields,
    may_hide_unchanged,
)
from lakehouse.names import literal, quoted
from lakehouse.silver.cache import Cache
from lakehouse.silver.events import POSITION, Events, Truncation, key_columns
from lakehouse.silver.shape import LakeColumn, Shape

UNKNOWN = "unchanged value unknown"
AMBIGUOUS = "null or unchanged"
_MAX_HOPS = 40  # doublings: 2^40 key changes in a row

_POSITION_TYPE = "STRUCT<epoch: INT, commit_lsn: BIGINT, phase: INT, lsn: BIGINT, tx_order: BIGINT>"
_VALUE_OPS = "('c', 'r', 'u')"
_NO_FLAGS = "CAST(array() AS ARRAY<STRING>)"
# Where an unchanged column's value comes from.
_KNOWN, _LINKED, _LOST = 1, 2, 0
# A key change gives the old key's d and the new key's c one commit and one LSN.
_COMMIT = ("epoch", "commit_lsn", "lsn")


@dataclass(frozen=True)
class Key:
    """A table's key: lake names of its columns and their types; events carry them as __k0, __k1 ..."""

    columns: tuple[str, ...]
    source_names: tuple[str, ...]
    types: tuple[str, ...]

    @property
    def aliases(self) -> list[str]:
        return [f"__k{i}" for i in range(len(self.columns))]


@dataclass(frozen=True)
class Batch:
    """What the steps of one table's batch share. `silver` is its published rows, None for a table without any."""

    events: Events
    key: Key
    shape: Shape
    schemas: Mapping[str, Sequence[Column]]
    truncations: Sequence[Truncation]
    silver: DataFrame | None
    carried: tuple[str, ...] = ()  # columns of silver's row that later steps need of every key: __on_<name>

    @property
    def unchanged(self) -> list[LakeColumn]:
        """Columns that some event of the batch left out as unchanged."""
        found = (self.shape.column(name) for name in self.events.profile.unchanged)
        return [c for c in found if c is not None]


def newest_rows(batch: Batch, cache: Cache) -> DataFrame:
    """One row a key that has newer events than silver's row: the source's columns under their lake names, and

    __kind: values (all columns count) or status (only a deletion is new); __exists: silver has the key;
    __applied: events taken; __on_<name>: silver's columns that `carried` asks for; the engine's columns.
    """
    events = _newer_events(batch)
    states = _states(batch, events)
    linked = batch.events.profile.linked > 0 and bool(batch.unchanged)
    if linked:
        states = cache.keep(states)
    last = _last_rows(batch, states)
    if linked:
        last = _follow_links(batch, last, _link_targets(batch, states, cache))
    return _typed(batch, last)


def _newer_events(batch: Batch) -> DataFrame:
    """Events that are newer than silver's row of their key, with what is needed of that row as __base_*."""
    events = batch.events.rows.where("__op <> 't' AND NOT __late").withColumn("__pos", expr(POSITION))
    base = _base(batch, events)
    if base is None:
        return events.withColumns({name: expr(f"CAST(NULL AS {type_})") for name, type_ in _base_types(batch).items()})
    return events.join(base, batch.key.aliases, "left").where("__base_pos IS NULL OR __pos > __base_pos")


def _base_types(batch: Batch) -> dict[str, str]:
    types = {
        "__base_pos": _POSITION_TYPE,
        "__base_active": "BOOLEAN",
        "__base_flags": "ARRAY<STRING>",
    }
    types |= {f"__base_{i}": c.type for i, c in enumerate(batch.unchanged)}
    by_name = {c.name: c.type for c in batch.shape.columns}
    return types | {f"__on_{name}": by_name[name] for name in batch.carried}


def _base(batch: Batch, events: DataFrame) -> DataFrame | None:
    """Silver's rows of the batch's keys, or None when there can't be any."""
    if batch.silver is None:
        return None
    keys = [f"{quoted(c)} AS {a}" for c, a in zip(batch.key.columns, batch.key.aliases, strict=True)]
    rows = batch.silver.selectExpr(
        *keys,
        f"{position.of_row('')} AS __base_pos",
        "is_active AS __base_active",
        "quality_flags AS __base_flags",
        *_silver_values(batch, batch.silver),
        *[f"{quoted(name)} AS {quoted('__on_' + name)}" for name in batch.carried],
    )
    return rows.join(events.select(*batch.key.aliases), batch.key.aliases, "left_semi")


def _silver_values(batch: Batch, silver: DataFrame) -> list[str]:
    """The unchanged columns of silver's rows as __base_0 ...; null for a column that silver does not have yet."""
    known = set(silver.columns)
    values = [quoted(c.name) if c.name in known else "NULL" for c in batch.unchanged]
    return [
        f"CAST({v} AS {c.type}) AS __base_{i}" for i, (v, c) in enumerate(zip(values, batch.unchanged, strict=True))
    ]


def _window(batch: Batch) -> str:
    """The order of a key's events. Equal ones: of snapshot rows the highest offset is taken, else the lowest."""
    return (
        f"(PARTITION BY {', '.join(batch.key.aliases)} ORDER BY __epoch, __commit_lsn, __phase, __lsn, __tx_order, "
        "IF(__op = 'd', 0, 1), __op, IF(__phase = 0, -__offset, __offset))"
    )


def _states(batch: Batch, events: DataFrame) -> DataFrame:
    """Each event with __again (it came before) and, for each unchanged column i, where its value stands: __state_i."""
    w = _window(batch)
    identity = "named_struct('p', __pos, 'o', __op)"
    rows = events.withColumn("__again", expr(f"coalesce(lag({identity}) OVER {w} = {identity}, false)"))
    if not batch.unchanged:
        return rows
    cut, base_cut = _truncations_before(batch, "__pos"), _truncations_before(batch, "__base_pos")
    texts = f"from_json(__after, {json_fields([c.source_name for c in batch.unchanged])})"
    rows = rows.withColumns({"__cut": expr(cut), "__base_cut": expr(base_cut), "__texts": expr(texts)})
    rows = rows.withColumns(
        {
            "__ended": expr(f"coalesce(lag(__op) OVER {w} = 'd', NOT coalesce(__base_active, false))"),
            "__cut_before": expr(f"coalesce(lag(__cut) OVER {w}, __base_cut)"),
        }
    )
    started = "NOT __again AND (__op IN ('c', 'r') OR __ended OR __cut > __cut_before)"
    start = "named_struct('pos', __pos, 'prior', IF(__op = 'c', __prior_key, NULL), 'schema_id', __schema_id)"
    known = {}
    for i, column in enumerate(batch.unchanged):
        text = f"__texts.{quoted(column.source_name)}"
        value = f"named_struct('pos', __pos, 'text', {text}, 'schema_id', __schema_id)"
        sent = (
            f"NOT __again AND __op IN {_VALUE_OPS} AND NOT array_contains(__unchanged, {literal(column.source_name)})"
        )
        known[f"__known_{i}"] = expr(f"last(IF({sent}, {value}, NULL), true) OVER {w}")
    rows = rows.withColumns({"__start": expr(f"last(IF({started}, {start}, NULL), true) OVER {w}"), **known})
    return rows.withColumns({f"__state_{i}": expr(_state(i, c)) for i, c in enumerate(batch.unchanged)})


def _truncations_before(batch: Batch, pos: str) -> str:
    if not batch.truncations:
        return "0"
    return f"size(filter({_truncations(batch)}, t -> t.pos < {pos}))"


def _truncations(batch: Batch) -> str:
    moments = [f"named_struct('pos', {t.position.sql()}, 'at', {t.at_sql})" for t in sorted(batch.truncations)]
    return f"array({', '.join(moments)})"


def _state(i: int, column: LakeColumn) -> str:
    """Where column i stands after an event: named_struct(kind, value, flags)."""
    text, schema_id = f"__known_{i}.text", f"__known_{i}.schema_id"
    sent = decoded_by_schema(text, schema_id, column.schemas, column.type)
    known = _state_struct(_KNOWN, f"CAST({sent} AS {column.type})", _failure_flags(column, text, schema_id))
    linked = _state_struct(_LINKED, f"CAST(NULL AS {column.type})", _NO_FLAGS)
    return (
        f"CASE WHEN __known_{i} IS NOT NULL AND (__start IS NULL OR __known_{i}.pos >= __start.pos) THEN {known} "
        f"WHEN __start IS NULL THEN {_base_state(i, column)} "
        f"WHEN __start.prior IS NOT NULL THEN {linked} "
        f"ELSE {_lost(column)} END"
    )


def _state_struct(kind: int, value: str, flags: str) -> str:
    return f"named_struct('kind', {kind}, 'value', {value}, 'flags', {flags})"


def _base_state(i: int, column: LakeColumn) -> str:
    """Column i as silver's row has it, with the flags that go with the value."""
    flags = f"coalesce(filter(__base_flags, f -> {_is_value_flag(column.name)}), {_NO_FLAGS})"
    return _state_struct(_KNOWN, f"__base_{i}", flags)


def _lost(column: LakeColumn) -> str:
    return _state_struct(_LOST, f"CAST(NULL AS {column.type})", f"array({_flag(column, UNKNOWN)})")


def _flag(column: LakeColumn, what: str) -> str:
    return literal(f"{column.name}: {what}")


def _is_value_flag(column: str) -> str:
    """Whether flag f speaks of the column's value as it was sent, and so goes with the value."""
    kinds = (UNREPRESENTABLE, UNKNOWN, AMBIGUOUS)
    return "(" + " OR ".join(f"startswith(f, {literal(f'{column}: {kind}')})" for kind in kinds) + ")"


def _failure_flags(column: LakeColumn, text: str, schema_id: str) -> str:
    failure = failure_by_schema(text, schema_id, column.schemas, column.type)
    if failure is None:
        return _NO_FLAGS
    return f"array_compact(array(concat({_flag(column, UNREPRESENTABLE + ' ')}, {failure})))"


def _last_rows(batch: Batch, states: DataFrame) -> DataFrame:
    """The last event of each key, with the last event that has values as __row."""
    w = _window(batch)
    fields = {"after": "__after", "schema_id": "__schema_id", "unchanged": "__unchanged", "op": "__op"}
    fields["full"] = "__before IS NOT NULL"
    for i in range(len(batch.unchanged)):
        fields[f"state_{i}"] = f"__state_{i}"
    if batch.unchanged:
        fields["start"] = "__start"
    row = "named_struct(" + ", ".join(f"{literal(name)}, {sql}" for name, sql in fields.items()) + ")"
    rows = states.withColumns(
        {
            "__row": expr(f"last(IF(NOT __again AND __op IN {_VALUE_OPS}, {row}, NULL), true) OVER {w}"),
            "__applied": expr(f"sum(IF(__again, 0, 1)) OVER {w}"),
            "__next": expr(f"lead(__op) OVER {w}"),
        }
    ).where("__next IS NULL")
    kept = ["__pos", "__op", "__source_ts", "__schema_id", "__row", "__applied"]
    rows = rows.select(*batch.key.aliases, *kept, *_base_types(batch))
    return rows.withColumns({f"__state_{i}": expr(f"__row.state_{i}") for i in range(len(batch.unchanged))})


def _link_fields(batch: Batch, start: str) -> dict[str, Any]:
    """The key and commit that a key change came from: __l0 ..., __l_epoch, __l_commit_lsn, __l_lsn."""
    fields = key_columns(
        f"{start}.prior", f"{start}.schema_id", batch.key.source_names, batch.key.types, batch.schemas, "__l"
    )
    for name in ("epoch", "commit_lsn", "lsn"):
        fields[f"__l_{name}"] = expr(f"{start}.pos.{name}")
    return fields


def _link_targets(batch: Batch, states: DataFrame, cache: Cache) -> DataFrame:
    """Rows as they stood when a key change gave up their key: __t0 ..., __t_epoch, __t_commit_lsn, __t_lsn, states.

    They are every d of the batch, and silver's rows that a d of an earlier batch ended. Links between them are
    followed: each hop doubles the distance, so a chain of key changes needs its logarithm of hops.
    """
    ends = states.where("__op = 'd' AND NOT __again").withColumns(_link_fields(batch, "__start"))
    place = [f"{alias} AS __t{i}" for i, alias in enumerate(batch.key.aliases)]
    place += [f"__pos.{name} AS __t_{name}" for name in _COMMIT]
    targets = ends.selectExpr(*place, *_state_names(batch), *_link_names(batch))
    if batch.silver is not None:
        targets = targets.unionByName(_ended_before(batch, batch.silver, states))
    targets = cache.keep(targets)
    pending = " OR ".join(f"{state}.kind = {_LINKED}" for state in _state_names(batch))
    for _ in range(_MAX_HOPS):
        if targets.where(pending).isEmpty():
            break
        targets = _hop(batch, targets, targets, relink=True).localCheckpoint()
    return targets


def _state_names(batch: Batch) -> list[str]:
    return [f"__state_{i}" for i in range(len(batch.unchanged))]


def _link_names(batch: Batch) -> list[str]:
    return [f"__l{i}" for i in range(len(batch.key.columns))] + [f"__l_{name}" for name in _COMMIT]


def _ended_before(batch: Batch, silver: DataFrame, states: DataFrame) -> DataFrame:
    """Silver's deleted rows that a key change of this batch names: their d was taken by an earlier batch."""
    links = states.where("__start.prior IS NOT NULL").withColumns(_link_fields(batch, "__start"))
    links = links.select(*_link_names(batch))
    place = [f"{quoted(c)} AS __l{i}" for i, c in enumerate(batch.key.columns)]
    place += [f"_{name} AS __l_{name}" for name in _COMMIT]
    rows = silver.where("NOT is_active").selectExpr(
        *place, "quality_flags AS __base_flags", *_silver_values(batch, silver)
    )
    rows = rows.join(links, _link_names(batch), "left_semi")
    states_of = [f"{_base_state(i, c)} AS __state_{i}" for i, c in enumerate(batch.unchanged)]
    renamed = [f"{name} AS __t{name.removeprefix('__l')}" for name in _link_names(batch)]
    unlinked = [f"CAST(NULL AS {type_}) AS {name}" for name, type_ in links.dtypes]
    return rows.selectExpr(*renamed, *states_of, *unlinked)


def _hop(batch: Batch, rows: DataFrame, targets: DataFrame, relink: bool) -> DataFrame:
    """Rows whose linked states are replaced by their targets'; with `relink`, their links by their targets' links."""
    links, states = _link_names(batch), _state_names(batch)
    places = [f"__t{name.removeprefix('__l')}" for name in links]
    found = targets.selectExpr(*[f"{name} AS __found{name}" for name in [*places, *states, *links]], "true AS __found")
    on = " AND ".join(f"{link} = __found{place}" for link, place in zip(links, places, strict=True))
    out: dict[str, Any] = {}
    for state, column in zip(states, batch.unchanged, strict=True):
        taken = f"IF(__found, __found{state}, {_lost(column)})"
        out[state] = expr(f"IF({state}.kind = {_LINKED}, {taken}, {state})")
    if relink:
        out |= {name: expr(f"__found{name}") for name in links}
    return rows.join(found, expr(on), "left").withColumns(out).select(*rows.columns)


def _follow_links(batch: Batch, last: DataFrame, targets: DataFrame) -> DataFrame:
    rows = last.withColumns(_link_fields(batch, "__row.start"))
    return _hop(batch, rows, targets, relink=False).select(*last.columns)


def _typed(batch: Batch, last: DataFrame) -> DataFrame:
    """Source columns as lake types, the engine's columns, and what the writing step needs."""
    names = [c.source_name for c in batch.shape.columns if c.schemas]
    rows = last.withColumn("__texts", expr(f"from_json(__row.after, {json_fields(names)})"))
    rows = rows.withColumn("__ended_by", expr(_ended_by(batch)))
    columns = {c.name: expr(_value(batch, c)) for c in batch.shape.columns if c.name not in batch.key.columns}
    columns |= {c: expr(a) for c, a in zip(batch.key.columns, batch.key.aliases, strict=True)}
    position_fields = {
        "_epoch": "epoch",
        "_commit_lsn": "commit_lsn",
        "_lsn": "lsn",
        "_tx_order": "tx_order",
    }
    engine = {
        "is_active": "__op <> 'd' AND __ended_by IS NULL",
        "deleted_at": "IF(__op = 'd', __source_ts, __ended_by.at)",
        "quality_flags": f"IF(__row IS NULL, coalesce(__base_flags, {_NO_FLAGS}), {_flags(batch)})",
        "source_updated_at": "IF(__ended_by IS NULL, __source_ts, __ended_by.at)",
        "_schema_id": "__schema_id",
        **{name: f"coalesce(__ended_by.pos.{f}, __pos.{f})" for name, f in position_fields.items()},
    }
    carried = {f"__on_{name}": f"IF(__row IS NULL, {quoted('__on_' + name)}, {quoted(name)})" for name in batch.carried}
    rows = rows.withColumns(columns)
    rows = rows.withColumns({name: expr(sql) for name, sql in {**engine, **carried}.items()})
    rows = rows.withColumns(
        {
            "__kind": expr("IF(__row IS NULL, 'status', 'values')"),
            "__exists": expr("__base_pos IS NOT NULL"),
        }
    )
    ordered = [quoted(c.name) for c in batch.shape.columns]
    return rows.select(*ordered, *engine, *[quoted(c) for c in carried], "__kind", "__exists", "__applied")


def _ended_by(batch: Batch) -> str:
    """The first TRUNCATE after a row's last event; a deleted row has ended already."""
    if not batch.truncations:
        return f"CAST(NULL AS STRUCT<pos: {_POSITION_TYPE}, at: TIMESTAMP>)"
    later = f"filter({_truncations(batch)}, t -> t.pos > __pos)"
    return f"IF(__op = 'd', NULL, try_element_at({later}, 1))"


def _is_unchanged(column: LakeColumn) -> str:
    return f"array_contains(__row.unchanged, {literal(column.source_name)})"


def _value(batch: Batch, column: LakeColumn) -> str:
    if not column.schemas:
        return f"CAST(NULL AS {column.type})"
    text = f"__texts.{quoted(column.source_name)}"
    sent = f"CAST({decoded_by_schema(text, '__row.schema_id', column.schemas, column.type)} AS {column.type})"
    if column not in batch.unchanged:
        return sent
    return f"IF({_is_unchanged(column)}, __state_{batch.unchanged.index(column)}.value, {sent})"


def _flags(batch: Batch) -> str:
    """Quality flags of a row's values, each once."""
    single, lists = [], []
    for column in batch.shape.columns:
        text = f"__texts.{quoted(column.source_name)}"
        failure = failure_by_schema(text, "__row.schema_id", column.schemas, column.type)
        mine = []
        if failure is not None:
            mine.append(f"concat({_flag(column, UNREPRESENTABLE + ' ')}, {failure})")
        if any(may_hide_unchanged(c.encoding) for c in column.schemas.values()):
            hidden = f"{text} IS NULL AND NOT __row.full AND __row.op = 'u'"
            mine.append(f"IF({hidden}, {_flag(column, AMBIGUOUS)}, NULL)")
        if column in batch.unchanged:
            mine = [f"IF({_is_unchanged(column)}, NULL, {flag})" for flag in mine]
            state = f"__state_{batch.unchanged.index(column)}.flags"
            lists.append(f"IF({_is_unchanged(column)}, {state}, {_NO_FLAGS})")
        single += mine
    own = f"array_compact(CAST(array({', '.join(single)}) AS ARRAY<STRING>))"
    return f"array_distinct(concat({', '.join([own, *lists])}))" if lists or single else _NO_FLAGS

"""From change events to the newest row of each key: order, incarnations, deletions, TRUNCATE and unchanged values.

All windows run over one key's events in the order of their positions, so one sort serves them all. A key's events fall
into incarnations: one starts at a c or r, after a d, and after a TRUNCATE. A value that an event left out as unchanged
comes from the nearest earlier event of the same incarnation that has it; else from silver's row, when the incarnation
began there; else, where the incarnation began with a key change, from the row that the old key had then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

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
from lakehouse.silver.events import BROADCAST_ROWS, POSITION, Events, Truncation, key_columns, key_range
from lakehouse.silver.shape import LakeColumn, Shape

UNKNOWN = "unchanged value unknown"
AMBIGUOUS = "null or unchanged"
NO_FLAGS = "CAST(array() AS ARRAY<STRING>)"

_MAX_HOPS = 40  # doublings: 2^40 key changes in a row
_POSITION_TYPE = "STRUCT<epoch: INT, commit_lsn: BIGINT, phase: INT, lsn: BIGINT, tx_order: BIGINT>"
_VALUE_OPS = "('c', 'r', 'u')"
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

    def equals(self, left: str, right: str) -> str:
        """SQL: the key columns of two relations (aliases) are equal."""
        return " AND ".join(f"{left}.{quoted(c)} = {right}.{quoted(c)}" for c in self.columns)

    def matches(self, rows: str, events: str) -> str:
        """SQL: the key columns of rows equal those of events."""
        pairs = zip(self.columns, self.aliases, strict=True)
        return " AND ".join(f"{rows}.{quoted(c)} = {events}.{alias}" for c, alias in pairs)


@dataclass(frozen=True)
class Batch:
    """What the steps of one table's batch share. `silver` is its published rows, None for a table without any."""

    events: Events
    key: Key
    shape: Shape
    schemas: Mapping[str, Sequence[Column]]
    truncations: Sequence[Truncation]
    silver: DataFrame | None

    @property
    def unchanged(self) -> list[LakeColumn]:
        """Columns that some event of the batch left out as unchanged."""
        found = (self.shape.column(name) for name in self.events.profile.unchanged)
        return [c for c in found if c is not None]

    @property
    def linked(self) -> bool:
        """Whether some event takes an unchanged value from another key's row."""
        return self.events.profile.linked > 0 and bool(self.unchanged)


def newest_rows(batch: Batch, cache: Cache) -> DataFrame:
    """One whole row a key that has newer events than silver's row: the source's columns under their lake names, the

    engine's columns but _batch and processed_at, __exists (silver has the key) and __applied (events taken).
    """
    events = cache.view(batch.events.rows)
    base = _base(batch, events, cache)
    queries = [_newer(batch, events, base), *_states(batch)]
    targets = None
    if batch.linked:
        states = cache.view(cache.keep(cache.sql(_with(queries, "SELECT * FROM states"))))
        targets = cache.view(_link_targets(batch, states, cache))
        queries = [f"states AS (SELECT * FROM {states})"]
    queries += [_newest(batch), _placed(batch), _followed(batch, targets), _parsed(batch, base)]
    return cache.sql(_with(queries, f"SELECT {_typed(batch)} FROM parsed"))


def silver_rows(silver: DataFrame, shape: Shape, keys: str, key: Key, cache: Cache) -> DataFrame:
    """Silver's rows of some keys (a view), as `newest_rows` would answer them: nothing has changed in them."""
    have = set(silver.columns)
    columns = [
        quoted(c.name) if c.name in have else f"CAST(NULL AS {c.type}) AS {quoted(c.name)}" for c in shape.columns
    ]
    engine = [_value_flags("quality_flags") + " AS quality_flags" if c == "quality_flags" else c for c in _ENGINE]
    return cache.sql(
        f"SELECT {', '.join([*columns, *engine])}, true AS __exists, 0L AS __applied FROM {cache.view(silver)} AS t "
        f"LEFT SEMI JOIN {keys} AS k ON {key.equals('t', 'k')}"
    )


_ENGINE = (
    "is_active",
    "deleted_at",
    "quality_flags",
    "source_updated_at",
    "_epoch",
    "_commit_lsn",
    "_lsn",
    "_tx_order",
    "_schema_id",
)


def _with(queries: Sequence[str], final: str) -> str:
    return f"WITH {', '.join(queries)} {final}"


def _base(batch: Batch, events: str, cache: Cache) -> str | None:
    """A view of silver's rows of the batch's keys; None when there can't be any."""
    if batch.silver is None:
        return None
    hint = "/*+ BROADCAST(e) */ " if batch.events.profile.events <= BROADCAST_ROWS else ""
    rows = cache.sql(
        f"SELECT {hint}t.* FROM {cache.view(batch.silver)} AS t "
        f"LEFT SEMI JOIN {events} AS e ON {batch.key.matches('t', 'e')} "
        f"WHERE {key_range('t', batch.key.columns, batch.events.profile.key_ranges)}"
    )
    # rows that are only deleted keep their values: they are read once more, at the end
    return cache.view(cache.keep(rows) if batch.events.profile.deletions else rows)


def _newer(batch: Batch, events: str, base: str | None) -> str:
    """Events that are newer than silver's row of their key, with what is needed of that row as __base_*."""
    rows = f"SELECT *, {POSITION} AS __pos FROM {events} WHERE __op <> 't' AND NOT __late"
    if base is None:
        types = {"__base_pos": _POSITION_TYPE, "__base_active": "BOOLEAN", "__base_flags": "ARRAY<STRING>"}
        types |= {f"__base_{i}": c.type for i, c in enumerate(batch.unchanged)}
        nothing = ", ".join(f"CAST(NULL AS {type_}) AS {name}" for name, type_ in types.items())
        return f"newer AS (SELECT *, {nothing} FROM ({rows}))"
    assert batch.silver is not None
    values = _silver_values(batch, batch.silver)
    there = f"IF(b._epoch IS NULL, NULL, {position.of_row('b')}) AS __base_pos"  # a struct of nulls is not null
    row = f"{there}, b.is_active AS __base_active, b.quality_flags AS __base_flags"
    return (
        f"newer AS (SELECT e.*, {', '.join([row, *values])} FROM ({rows}) AS e "
        f"LEFT JOIN {base} AS b ON {batch.key.matches('b', 'e')} "
        f"WHERE b._epoch IS NULL OR e.__pos > {position.of_row('b')})"
    )


def _silver_values(batch: Batch, silver: DataFrame) -> list[str]:
    """The unchanged columns of silver's rows b as __base_0 ...; null for a column that silver does not have yet."""
    have = set(silver.columns)
    values = [f"b.{quoted(c.name)}" if c.name in have else "NULL" for c in batch.unchanged]
    return [
        f"CAST({v} AS {c.type}) AS __base_{i}" for i, (v, c) in enumerate(zip(values, batch.unchanged, strict=True))
    ]


def _window(batch: Batch) -> str:
    """The order of a key's events. Equal ones: of snapshot rows the highest offset is taken, else the lowest."""
    return (
        f"WINDOW w AS (PARTITION BY {', '.join(batch.key.aliases)} ORDER BY __epoch, __commit_lsn, __phase, __lsn, "
        "__tx_order, IF(__op = 'd', 0, 1), __op, IF(__phase = 0, -__offset, __offset))"
    )


def _states(batch: Batch) -> list[str]:
    """Each event with __again (it came before) and, for each unchanged column i, where its value stands: __state_i."""
    identity = "named_struct('p', __pos, 'o', __op)"
    columns = {"__again": f"coalesce(lag({identity}) OVER w = {identity}, false)"}
    if not batch.unchanged:
        return [f"states AS (SELECT *, {_as(columns)} FROM newer {_window(batch)})"]
    cut, base_cut = _truncations_before(batch, "__pos"), _truncations_before(batch, "__base_pos")
    columns["__texts"] = f"from_json(__after, {json_fields([c.source_name for c in batch.unchanged])})"
    columns["__ended"] = "coalesce(lag(__op) OVER w = 'd', NOT coalesce(__base_active, false))"
    columns["__cut"] = "false" if cut == "0" else f"{cut} > coalesce(lag({cut}) OVER w, {base_cut})"
    started = "NOT __again AND (__op IN ('c', 'r') OR __ended OR __cut)"
    start = "named_struct('pos', __pos, 'prior', IF(__op = 'c', __prior_key, NULL), 'schema_id', __schema_id)"
    known = {"__start": f"last(IF({started}, {start}, NULL), true) OVER w"}
    for i, column in enumerate(batch.unchanged):
        text = f"__texts.{quoted(column.source_name)}"
        value = f"named_struct('pos', __pos, 'text', {text}, 'schema_id', __schema_id)"
        sent = (
            f"NOT __again AND __op IN {_VALUE_OPS} AND NOT array_contains(__unchanged, {literal(column.source_name)})"
        )
        known[f"__known_{i}"] = f"last(IF({sent}, {value}, NULL), true) OVER w"
    states = {f"__state_{i}": _state(i, c) for i, c in enumerate(batch.unchanged)}
    return [
        f"told AS (SELECT *, {_as(columns)} FROM newer {_window(batch)})",
        f"known AS (SELECT *, {_as(known)} FROM told {_window(batch)})",
        f"states AS (SELECT *, {_as(states)} FROM known)",
    ]


def _as(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{sql} AS {quoted(name)}" for name, sql in columns.items())


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
    linked = _state_struct(_LINKED, f"CAST(NULL AS {column.type})", NO_FLAGS)
    return (
        f"CASE WHEN __known_{i} IS NOT NULL AND (__start IS NULL OR __known_{i}.pos >= __start.pos) THEN {known} "
        f"WHEN __start IS NULL THEN {_base_state(i, column, '__base_flags')} "
        f"WHEN __start.prior IS NOT NULL THEN {linked} "
        f"ELSE {_lost(column)} END"
    )


def _state_struct(kind: int, value: str, flags: str) -> str:
    return f"named_struct('kind', {kind}, 'value', {value}, 'flags', {flags})"


def _base_state(i: int, column: LakeColumn, row_flags: str) -> str:
    """Column i as silver's row has it, with the flags that go with the value."""
    kinds = " OR ".join(f"startswith(f, {_flag(column, kind)})" for kind in (UNREPRESENTABLE, UNKNOWN, AMBIGUOUS))
    return _state_struct(_KNOWN, f"__base_{i}", f"coalesce(filter({row_flags}, f -> {kinds}), {NO_FLAGS})")


def _value_flags(flags: str) -> str:
    """Of a row's flags those that speak of values as they were sent; the others are found anew."""
    kinds = f"f LIKE '%: {UNREPRESENTABLE} %' OR f LIKE '%: {UNKNOWN}' OR f LIKE '%: {AMBIGUOUS}'"
    return f"coalesce(filter({flags}, f -> {kinds}), {NO_FLAGS})"


def _lost(column: LakeColumn) -> str:
    return _state_struct(_LOST, f"CAST(NULL AS {column.type})", f"array({_flag(column, UNKNOWN)})")


def _flag(column: LakeColumn, what: str) -> str:
    return literal(f"{column.name}: {what}")


def _failure_flags(column: LakeColumn, text: str, schema_id: str) -> str:
    failure = failure_by_schema(text, schema_id, column.schemas, column.type)
    if failure is None:
        return NO_FLAGS
    return f"array_compact(array(concat({_flag(column, UNREPRESENTABLE + ' ')}, {failure})))"


def _newest(batch: Batch) -> str:
    """The last event of each key, with the last event that has values as __row."""
    fields = {
        "after": "__after",
        "schema_id": "__schema_id",
        "unchanged": "__unchanged",
        "op": "__op",
        "full": "__before IS NOT NULL",
    }
    fields |= {state: state for state in _state_names(batch)}
    if batch.linked:
        fields["start"] = "__start"
    row = "named_struct(" + ", ".join(f"{literal(name)}, {sql}" for name, sql in fields.items()) + ")"
    columns = {
        "__row": f"last(IF(NOT __again AND __op IN {_VALUE_OPS}, {row}, NULL), true) OVER w",
        "__applied": "sum(IF(__again, 0, 1)) OVER w",
        "__next": "lead(__op) OVER w",
    }
    kept = [*batch.key.aliases, "__pos", "__op", "__source_ts", "__schema_id", "__base_pos", "__base_flags"]
    return (
        f"newest AS (SELECT {', '.join(kept)}, __row, __applied FROM "
        f"(SELECT *, {_as(columns)} FROM states {_window(batch)}) WHERE __next IS NULL)"
    )


def _placed(batch: Batch) -> str:
    """`newest` with the states of its unchanged columns, and the links that they may follow."""
    columns = {state: f"__row.{state}" for state in _state_names(batch)}
    columns |= _link_fields(batch, "__row.start") if batch.linked else {}
    return f"placed AS (SELECT *{', ' if columns else ''}{_as(columns)} FROM newest)"


def _followed(batch: Batch, targets: str | None) -> str:
    if targets is None:
        return "followed AS (SELECT * FROM placed)"
    return f"followed AS ({_hop(batch, 'placed', targets, relink=False)})"


def _state_names(batch: Batch) -> list[str]:
    return [f"__state_{i}" for i in range(len(batch.unchanged))]


def _link_names(batch: Batch) -> list[str]:
    return [f"__l{i}" for i in range(len(batch.key.columns))] + [f"__l_{name}" for name in _COMMIT]


def _target_names(batch: Batch) -> list[str]:
    return [f"__t{name.removeprefix('__l')}" for name in _link_names(batch)]


def _link_fields(batch: Batch, start: str) -> dict[str, str]:
    """The key and commit that a key change came from: __l0 ..., __l_epoch, __l_commit_lsn, __l_lsn."""
    key = batch.key
    fields = key_columns(f"{start}.prior", f"{start}.schema_id", key.source_names, key.types, batch.schemas, "__l")
    return fields | {f"__l_{name}": f"{start}.pos.{name}" for name in _COMMIT}


def _link_targets(batch: Batch, states: str, cache: Cache) -> DataFrame:
    """Rows as they stood when a key change gave up their key: __t0 ..., __t_epoch, __t_commit_lsn, __t_lsn, states.

    They are every d of the batch, and silver's rows that a d of an earlier batch ended. Links between them are
    followed: each hop doubles the distance, so a chain of key changes needs its logarithm of hops.
    """
    place = {f"__t{i}": alias for i, alias in enumerate(batch.key.aliases)}
    place |= {f"__t_{name}": f"__pos.{name}" for name in _COMMIT}
    columns = {**place, **{s: s for s in _state_names(batch)}, **_link_fields(batch, "__start")}
    query = f"SELECT {_as(columns)} FROM {states} WHERE __op = 'd' AND NOT __again"
    if batch.silver is not None:
        query += f" UNION ALL {_ended_before(batch, batch.silver, states, cache)}"
    targets = cache.keep(cache.sql(query))
    pending = " OR ".join(f"{state}.kind = {_LINKED}" for state in _state_names(batch))
    for _ in range(_MAX_HOPS):
        if targets.where(pending).isEmpty():
            break
        view = cache.view(targets)
        targets = cache.sql(_hop(batch, view, view, relink=True)).localCheckpoint()
    return targets


def _ended_before(batch: Batch, silver: DataFrame, states: str, cache: Cache) -> str:
    """Silver's deleted rows that a key change of this batch names: their d was taken by an earlier batch."""
    fields = _link_fields(batch, "__start")
    links = cache.sql(f"SELECT {_as(fields)} FROM {states} WHERE __start.prior IS NOT NULL")
    place = {f"__t{i}": f"b.{quoted(c)}" for i, c in enumerate(batch.key.columns)}
    place |= {f"__t_{name}": f"b._{name}" for name in _COMMIT}
    on = [f"{sql} = l.{link}" for sql, link in zip(place.values(), _link_names(batch), strict=True)]
    values = ", ".join(["b.quality_flags AS __base_flags", *_silver_values(batch, silver)])
    rows = (
        f"SELECT {_as(place)}, {values} FROM {cache.view(silver)} AS b "
        f"LEFT SEMI JOIN {cache.view(links)} AS l ON {' AND '.join(on)} WHERE NOT b.is_active"
    )
    columns = {name: name for name in place}
    columns |= {f"__state_{i}": _base_state(i, c, "__base_flags") for i, c in enumerate(batch.unchanged)}
    columns |= {name: f"CAST(NULL AS {type_})" for name, type_ in links.dtypes}
    return f"SELECT {_as(columns)} FROM ({rows})"


def _hop(batch: Batch, rows: str, targets: str, relink: bool) -> str:
    """Rows whose linked states are replaced by their targets'; with `relink`, their links by their targets' links."""
    links, states = _link_names(batch), _state_names(batch)
    on = " AND ".join(f"r.{link} = t.{place}" for link, place in zip(links, _target_names(batch), strict=True))
    columns = {}
    for state, column in zip(states, batch.unchanged, strict=True):
        taken = f"IF(t.__t_epoch IS NOT NULL, t.{state}, {_lost(column)})"
        columns[state] = f"IF(r.{state}.kind = {_LINKED}, {taken}, r.{state})"
    columns |= {link: f"t.{link}" for link in links} if relink else {}
    replaced = ", ".join(columns)
    return f"SELECT r.* EXCEPT ({replaced}), {_as(columns)} FROM {rows} AS r LEFT JOIN {targets} AS t ON {on}"


def _parsed(batch: Batch, base: str | None) -> str:
    """`followed` with the texts of its values, and silver's row b where nothing but its end is new."""
    names = [c.source_name for c in batch.shape.columns if c.schemas]
    columns = {"__texts": f"from_json(__row.after, {json_fields(names)})", "__ended_by": _ended_by(batch)}
    if base is None or not batch.events.profile.deletions:
        return f"parsed AS (SELECT *, NULL AS __silver, {_as(columns)} FROM followed)"
    assert batch.silver is not None
    known = [c.name for c in batch.shape.columns if c.name in set(batch.silver.columns)]
    fields = ", ".join(f"{literal(name)}, b.{quoted(name)}" for name in known)
    return (
        f"parsed AS (SELECT n.*, IF(b._epoch IS NULL, NULL, named_struct({fields})) AS __silver, {_as(columns)} "
        f"FROM followed AS n LEFT JOIN {base} AS b ON {batch.key.matches('b', 'n')} AND n.__row IS NULL)"
    )


def _typed(batch: Batch) -> str:
    """The columns of a whole row."""
    columns = {c.name: _value(batch, c) for c in batch.shape.columns}
    columns |= dict(zip(batch.key.columns, batch.key.aliases, strict=True))
    engine = {
        "is_active": "__op <> 'd' AND __ended_by IS NULL",
        "deleted_at": "IF(__op = 'd', __source_ts, __ended_by.at)",
        "quality_flags": f"IF(__row IS NULL, {_value_flags('__base_flags')}, {_flags(batch)})",
        "source_updated_at": "IF(__ended_by IS NULL, __source_ts, __ended_by.at)",
        **{f"_{f}": f"coalesce(__ended_by.pos.{f}, __pos.{f})" for f in ("epoch", "commit_lsn", "lsn", "tx_order")},
        "_schema_id": "__schema_id",
        "__exists": "__base_pos IS NOT NULL",
        "__applied": "__applied",
    }
    return _as(columns | engine)


def _ended_by(batch: Batch) -> str:
    """The first TRUNCATE after a row's last event; a deleted row has ended already."""
    if not batch.truncations:
        return f"CAST(NULL AS STRUCT<pos: {_POSITION_TYPE}, at: TIMESTAMP>)"
    later = f"filter({_truncations(batch)}, t -> t.pos > __pos)"
    return f"IF(__op = 'd', NULL, try_element_at({later}, 1))"


def _is_unchanged(column: LakeColumn) -> str:
    return f"array_contains(__row.unchanged, {literal(column.source_name)})"


def _value(batch: Batch, column: LakeColumn) -> str:
    sent = f"CAST(NULL AS {column.type})"
    if column.schemas:
        text = f"__texts.{quoted(column.source_name)}"
        sent = f"CAST({decoded_by_schema(text, '__row.schema_id', column.schemas, column.type)} AS {column.type})"
    if column in batch.unchanged:
        sent = f"IF({_is_unchanged(column)}, __state_{batch.unchanged.index(column)}.value, {sent})"
    if batch.silver is None or not batch.events.profile.deletions or column.name not in batch.silver.columns:
        return sent
    return f"IF(__row IS NULL, CAST(__silver.{quoted(column.name)} AS {column.type}), {sent})"


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
            lists.append(f"IF({_is_unchanged(column)}, {state}, {NO_FLAGS})")
        single += mine
    if single:
        lists.insert(0, f"array_compact(array({', '.join(single)}))")
    return f"array_distinct(concat({', '.join(lists)}))" if lists else NO_FLAGS

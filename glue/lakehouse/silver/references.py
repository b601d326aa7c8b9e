"""Reference columns: what a silver row shows of other tables' rows, kept up to date from both sides."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql.functions import expr

from lakehouse.iceberg import Consumed, IcebergTable, consumed, mark_consumed
from lakehouse.names import quoted
from lakehouse.registry import Reference, Table
from lakehouse.silver.cache import Cache
from lakehouse.silver.held import HeldError


@dataclass(frozen=True)
class SilverState:
    """A silver table as others may read it in this run: prepared on a branch, or as published."""

    table: IcebergTable
    snapshot_id: int | None
    clock: int
    columns: Mapping[str, str]

    def rows(self) -> DataFrame:
        """Its rows."""
        assert self.snapshot_id is not None
        return self.table.at(self.snapshot_id)


@dataclass(frozen=True)
class Lookup:
    """A reference of a table with the state of the table that it points to."""

    reference: Reference
    state: SilverState
    consumer: str

    def is_new(self, own_columns: Collection[str]) -> bool:
        """Whether the referenced table changed since the referring rows were looked up, or never were."""
        seen = self.seen()
        new_columns = not set(self.reference.columns) <= set(own_columns)
        return new_columns or seen is None or seen.snapshot_id != self.state.snapshot_id

    def seen(self) -> Consumed | None:
        """The state of the referenced table that the referring rows show."""
        return consumed(self.state.table, self.consumer)

    def mark_seen(self) -> None:
        """Moves the tag: the referring rows show this state."""
        if self.state.snapshot_id is not None:
            mark_consumed(self.state.table, self.consumer, Consumed(self.state.clock, self.state.snapshot_id))


def stale_tags(table_id: str, tags: Iterable[str], tables: Iterable[Table]) -> list[str]:
    """Tags of tables that no longer refer to this one: should they do so again, they start anew."""
    consumers = {f"ref_{t.table_id}" for t in tables for r in t.references if r.table_id == table_id}
    return [tag for tag in tags if tag.startswith("ref_") and tag.rpartition("_b")[0] not in consumers]


def lookups(table_id: str, references: Sequence[Reference], states: Mapping[str, SilverState]) -> list[Lookup]:
    """The references whose tables are in silver. Raises HeldError when a column that is asked for is not there."""
    found = []
    for reference in references:
        state = states.get(reference.table_id)
        if state is None or state.snapshot_id is None:
            continue
        wanted = [*reference.on.values(), *reference.columns.values()]
        missing = sorted(c for c in wanted if c not in state.columns)
        if missing:
            raise HeldError(
                f"{table_id}: its reference asks {reference.table_id} for {', '.join(missing)}, which silver does not "
                "have; correct the reference in tables.yml"
            )
        found.append(Lookup(reference, state, f"ref_{table_id}"))
    return found


def types(found: Sequence[Lookup]) -> dict[str, str]:
    """The reference columns' types: those of the columns taken."""
    return {own: lookup.state.columns[theirs] for lookup in found for own, theirs in lookup.reference.columns.items()}


def joins(rows: str, found: Sequence[Lookup], small: bool, cache: Cache) -> tuple[dict[str, str], str]:
    """SQL that looks up the reference columns of `rows` (a view, r): the columns by name, and the joins.

    `small` rows are sent to the referenced table's files, which are read where they are.
    A row is shown as it was last known, deleted or not; where there is none the columns are null.
    """
    columns, text = {}, ""
    for i, lookup in enumerate(found):
        on = lookup.reference.on.items()
        wanted = " AND ".join(f"k.{quoted(own)} = t.{quoted(theirs)}" for own, theirs in on)
        hint = "/*+ BROADCAST(k) */ " if small else ""
        known = f"SELECT {hint}t.* FROM {cache.view(lookup.state.rows())} AS t LEFT SEMI JOIN {rows} AS k ON {wanted}"
        match = " AND ".join(f"r.{quoted(own)} = r{i}.{quoted(theirs)}" for own, theirs in on)
        text += f" LEFT JOIN ({known}) AS r{i} ON {match}"
        columns |= {own: f"r{i}.{quoted(theirs)}" for own, theirs in lookup.reference.columns.items()}
    return columns, text


def changed_rows(silver: DataFrame, key: Sequence[str], found: Sequence[Lookup], cache: Cache) -> DataFrame | None:
    """Keys of silver's rows whose referenced rows changed since they were last looked up; None when there are none."""
    changed = None
    for lookup in found:
        keys = _changed_keys(silver, lookup, cache)
        if keys is None:
            continue
        on = " AND ".join(f"{quoted(own)} = {quoted('__' + theirs)}" for own, theirs in lookup.reference.on.items())
        rows = silver.join(keys, expr(on), "left_semi").selectExpr(*[quoted(k) for k in key])
        changed = rows if changed is None else changed.unionByName(rows)
    return changed


def _changed_keys(silver: DataFrame, lookup: Lookup, cache: Cache) -> DataFrame | None:
    """Keys (as __<name>) of referenced rows whose columns taken differ from what the referring rows show."""
    if not lookup.is_new(silver.columns):
        return None
    seen = lookup.seen() if set(lookup.reference.columns) <= set(silver.columns) else None
    theirs = list(lookup.reference.on.values())
    keys = [f"__{name}" for name in theirs]
    taken = sorted(set(lookup.reference.columns.values()))

    def columns(rows: DataFrame, prefix: str) -> DataFrame:
        had = set(rows.columns)
        values = [f"{quoted(c) if c in had else 'NULL'} AS {prefix}{i}" for i, c in enumerate(taken)]
        return rows.selectExpr(*[f"{quoted(name)} AS {quoted('__' + name)}" for name in theirs], *values)

    now = columns(lookup.state.rows().where(f"_batch > {seen.batch if seen else 0}"), "__now")
    if seen is not None:
        then = columns(lookup.state.table.at(seen.snapshot_id), "__then").join(now, keys, "left_semi")
        differs = " OR ".join(f"NOT (__now{i} <=> __then{i})" for i in range(len(taken)))
        now = now.join(then, keys, "left").where(differs)
    changed = cache.keep(now.select(*[quoted(k) for k in keys]))
    return None if changed.isEmpty() else changed

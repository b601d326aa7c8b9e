"""One table's next state: from its news to an audited branch."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from lakehouse import faults
from lakehouse.checks import rule_checks
from lakehouse.columns import Column, holds
from lakehouse.names import literal, quoted
from lakehouse.registry import Rule, Table
from lakehouse.report import Check, TableReport, utc_text
from lakehouse.run import Run
from lakehouse.silver import references
from lakehouse.silver.cache import Cache
from lakehouse.silver.derived import ROW_FLAGS, derive
from lakehouse.silver.events import (
    BROADCAST_ROWS,
    Events,
    Profile,
    Truncation,
    first_key,
    key_range,
    read_events,
    read_truncations,
)
from lakehouse.silver.held import HeldError
from lakehouse.silver.history import new_events
from lakehouse.silver.intake import Intake
from lakehouse.silver.quarantine import FLAG, OpenQuarantine
from lakehouse.silver.references import Lookup, SilverState
from lakehouse.silver.resolve import NO_FLAGS, Batch, Key, newest_rows, silver_rows
from lakehouse.silver.shape import Shape, lake_name, shape_of
from lakehouse.silver.target import Branch, Target, add_made_columns, make_target, set_clock
from lakehouse.silver.truncations import store_truncations
from lakehouse.silver.write import Summary, end_older_rows, summarize, write_rows

Schemas = Mapping[str, Sequence[Column]]


@dataclass(frozen=True)
class Work:
    """What a run knows before it looks at one table's events. `schemas`: all of the table's, the newest first."""

    table: Table
    intake: Intake
    target: Target
    schemas: Schemas
    truncations: Sequence[Truncation]
    quarantine: OpenQuarantine
    lookups: Sequence[Lookup]

    @property
    def table_id(self) -> str:
        return self.table.table_id

    @property
    def clock(self) -> int:
        """The highest `_batch` of the published rows."""
        return max(self.intake.consumed_batch, self.target.clock)

    @property
    def stamp(self) -> int:
        """The `_batch` of what this run writes: the landed batch, or more where the table has been there already."""
        return max(self.intake.batch, self.clock + 1)


@dataclass(frozen=True)
class Prepared:
    """A table's next state on an audited branch; without a branch its rows stay as they are."""

    work: Work
    report: TableReport
    branch: Branch | None = None
    columns: Mapping[str, str] | None = None

    @property
    def state(self) -> SilverState:
        """The table as others are to read it in this run."""
        target = self.work.target
        if self.branch is None:
            return SilverState(target.table, target.snapshot_id, self.work.clock, target.columns)
        return SilverState(target.table, self.branch.snapshot_id(), self.work.stamp, self.columns or {})


def prepare(run: Run, work: Work, report: TableReport) -> Prepared:
    """Writes and audits the table's next state on a branch. Raises HeldError when it must not be published."""
    preparation = _Preparation(run, work, report)
    try:
        branch = preparation.branch()
        return Prepared(work, report, branch, dict(branch.rows().dtypes) if branch else None)
    finally:
        preparation.cache.release()


class _Preparation:
    """The steps for one table; they share the run, the work and what is cached."""

    def __init__(self, run: Run, work: Work, report: TableReport) -> None:
        self.run = run
        self.work = work
        self.report = report
        self.cache = Cache(run.spark)

    def branch(self) -> Branch | None:
        """The audited branch; None when no row has to change."""
        key = self._key()
        if key is None:
            self._record_truncations()
            return None
        shape = self._shape()
        typed_key = self._typed_key(key, shape)
        events = self._events(typed_key)
        if events is not None:
            make_target(self.run, self.work.target, shape, typed_key.columns, self.work.table.bucket)
        if not key:
            return self._history(shape, events) if events is not None else None
        if events is None and not self._others_changed():
            return None
        truncations = self._truncations(events)
        rows = self._rows(typed_key, shape, events, truncations)
        if rows is None:
            return None
        summary = summarize(rows, typed_key)
        if events is not None:
            taken = summary.applied + events.profile.truncations
            self.report.duplicates = max(events.profile.events - taken, 0)
        return self._written(typed_key, truncations, rows, summary)

    def _key(self) -> tuple[str, ...] | None:
        """The key's source columns: as the registry says, as silver was made, or as the events have it."""
        work, made = self.work, self.work.target.key
        declared = work.table.key
        if made is None:
            return declared if declared is not None or work.intake.empty else first_key(self.run, work.intake)
        if declared is not None:
            wanted = tuple(lake_name(c) for c in declared)
            if wanted != made:
                raise HeldError(
                    f"{work.table_id}: its key in tables.yml is ({', '.join(wanted)}), silver was made with "
                    f"({', '.join(made)}): put the old one back, or drop the silver table to make it anew from bronze"
                )
            return declared
        names = {lake_name(c.name): c.name for columns in work.schemas.values() for c in columns}
        return tuple(names.get(c, c) for c in made)

    def _record_truncations(self) -> None:
        """Keeps the TRUNCATEs of a table of which silver knows nothing else."""
        if self.work.intake.empty:
            return
        events = read_events(self.run, self.work.intake, (), (), {}, self.cache)
        self.report.rows_in = events.profile.events
        self._store(read_truncations(events))

    def _shape(self) -> Shape:
        work, target = self.work, self.work.target
        shape = shape_of(work.table_id, target.source_columns, work.schemas, target.text, new=not target.exists)
        clash = sorted({c.name for c in shape.columns} & set(target.made))
        if clash:
            raise HeldError(
                f"{work.table_id}: the source has a column {clash[0]} now, which silver makes itself; rename silver's "
                "in sql/silver or tables.yml"
            )
        return shape

    def _typed_key(self, key: Sequence[str], shape: Shape) -> Key:
        columns = {name: shape.column(name) for name in key}
        missing = [name for name, column in columns.items() if column is None]
        if missing:
            raise HeldError(
                f"{self.work.table_id}: its rows have no column {missing[0]}, which is to be its key; correct `key` in "
                "tables.yml"
            )
        found = [c for c in columns.values() if c is not None]
        return Key(tuple(c.name for c in found), tuple(key), tuple(c.type for c in found))

    def _events(self, key: Key) -> Events | None:
        """The news of the table; None without any."""
        work, report = self.work, self.report
        if work.intake.empty:
            return None
        self._refuse_unpublished_bronze()
        events = read_events(self.run, work.intake, key.source_names, key.types, work.schemas, self.cache)
        profile = events.profile
        report.rows_in, report.late = profile.events, profile.late
        report.high_water_lsn = str(profile.high_water_lsn) if profile.high_water_lsn is not None else None
        if profile.late:
            report.checks.append(
                Check("behind_the_frontier", "warn", profile.late, 0, "events kept in bronze and not applied")
            )
        self._refuse(profile, key)
        return events if profile.events else None

    def _refuse_unpublished_bronze(self) -> None:
        """Bronze that died between its commit and its publication has rows that this run would miss."""
        bronze = self.run.layer_table("bronze", self.work.table_id)
        if not bronze.exists():
            raise HeldError(f"{self.work.table_id}: landed names packs of it, but it has no bronze table: run bronze")
        staged = [name for name in bronze.refs("BRANCH") if name.startswith("stage_")]
        if staged:
            raise HeldError(f"{self.work.table_id}: bronze has not published {staged[0]}: run bronze again first")

    def _refuse(self, profile: Profile, key: Key) -> None:
        table_id, columns = self.work.table_id, ", ".join(key.source_names)
        unknown = sorted(set(profile.schema_ids) - set(self.work.schemas))
        if unknown:
            raise HeldError(f"{table_id}: bronze_schemas does not know the schema {unknown[0]}: run bronze again")
        if not columns:
            return
        if profile.keyless:
            raise HeldError(
                f"{table_id}: {profile.keyless} events have no key, silver has ({columns}): give the source table its "
                "primary key back, or drop the silver table to keep a history of events instead"
            )
        other = [names for names in profile.key_names if not set(key.source_names) <= set(names)]
        if other:
            raise HeldError(
                f"{table_id}: events came with the key ({', '.join(other[0])}), silver has ({columns}): name the key "
                "in tables.yml, or drop the silver table to make it anew from bronze"
            )

    def _others_changed(self) -> bool:
        """Whether rows that no event touches may have to be written."""
        work = self.work
        if work.target.snapshot_id is None:
            return False
        return work.quarantine.changed or any(lookup.is_new(work.target.columns) for lookup in work.lookups)

    def _truncations(self, events: Events | None) -> list[Truncation]:
        """TRUNCATEs that the events must be seen beside: their own, and known ones newer than the oldest event."""
        if events is None:
            return []
        own = read_truncations(events)
        self._store(own)
        first = events.profile.first
        return sorted({*own, *(t for t in self.work.truncations if first is None or t.position > first)})

    def _store(self, truncations: Sequence[Truncation]) -> None:
        store_truncations(self.run, self.work.table_id, truncations, self.work.truncations, self.work.intake.batch)

    def _rows(
        self, key: Key, shape: Shape, events: Events | None, truncations: Sequence[Truncation]
    ) -> DataFrame | None:
        """The whole rows to write: keys' new states, and rows for which something changed around them; None without."""
        work, cache, silver = self.work, self.cache, self.work.target.rows()
        rows, size = None, 0
        if events is not None:
            size = events.profile.events
            rows = newest_rows(Batch(events, key, shape, work.schemas, truncations, silver), cache)
        changed = self._changed_around(key, silver) if silver is not None else None
        if silver is not None and changed is not None:
            if rows is not None:
                rows = cache.keep(rows)
                changed = changed.join(rows.select(*[quoted(c) for c in key.columns]), list(key.columns), "left_anti")
            changed = cache.keep(changed)
            size += changed.count()
            same = silver_rows(silver, shape, cache.view(changed), key, cache)
            rows = same if rows is None else rows.unionByName(same)
        if rows is None:
            return None
        small = size <= BROADCAST_ROWS
        return cache.keep(self._finished(key, derive(self.run, work.table_id, rows, cache), set(rows.columns), small))

    def _changed_around(self, key: Key, silver: DataFrame) -> DataFrame | None:
        """Keys of silver's rows whose references or quarantined events changed; None without any."""
        keys = references.changed_rows(silver, key.columns, self.work.lookups, self.cache)
        if not self.work.quarantine.changed:
            return keys
        flagged = self.work.quarantine.changed_rows(silver, key, self.work.schemas)
        return flagged if keys is None else keys.unionByName(flagged)

    def _finished(self, key: Key, derived: DataFrame, given: Collection[str], small: bool) -> DataFrame:
        """Rows with all that silver makes: flags, reference columns, stamps.

        `given` are the columns before deriving; `small`: the rows may be sent to every task.
        """
        work, cache = self.work, self.cache
        source = cache.view(cache.keep(derived) if work.lookups else derived)
        made = {name: type_ for name, type_ in derived.dtypes if name not in given and name != ROW_FLAGS}
        looked_up, joins = references.joins(source, work.lookups, small, cache)
        types = {**made, **references.types(work.lookups)}
        self._make_columns(types)
        columns = {name: f"r.{quoted(name)}" for name in made} | looked_up
        kept = work.target.columns
        columns = {name: f"CAST({sql} AS {kept.get(name, types[name])})" for name, sql in columns.items()}
        flags = ["r.quality_flags"] + ([f"array_compact(r.{ROW_FLAGS})"] if ROW_FLAGS in derived.columns else [])
        open_keys = work.quarantine.open_keys(key, work.schemas)
        if open_keys is not None:
            joins += f" LEFT JOIN {cache.view(open_keys)} AS q ON {key.matches('r', 'q')}"
            flags.append(f"IF(q.__k0 IS NULL, {NO_FLAGS}, array({literal(FLAG)}))")
        columns["quality_flags"] = f"array_distinct(concat({', '.join(flags)}))"
        columns["processed_at"] = f"TIMESTAMP {literal(utc_text(self.run.started_at))}"
        columns["_batch"] = f"{work.stamp}L"
        plain = [f"r.{quoted(name)}" for name in derived.columns if name not in columns and name != ROW_FLAGS]
        added = [f"{sql} AS {quoted(name)}" for name, sql in columns.items()]
        return cache.sql(f"SELECT {', '.join([*plain, *added])} FROM {source} AS r{joins}")

    def _make_columns(self, types: Mapping[str, str]) -> None:
        """Adds the derived and reference columns to the table, all at once; those that it has keep their types."""
        have = self.work.target.columns
        for name, type_ in types.items():
            current = have.get(name, type_)
            if not holds(current, type_):
                raise HeldError(
                    f"{self.work.table_id}: silver makes the column {name} as {type_}, the table has it as {current}: "
                    "give it another name, or drop the silver table to make it anew from bronze"
                )
        add_made_columns(self.run, self.work.target, types)

    def _written(self, key: Key, truncations: Sequence[Truncation], rows: DataFrame, summary: Summary) -> Branch | None:
        """Writes the rows on a branch and audits them; None when there is nothing to write."""
        work = self.work
        ends = [t for t in truncations if t not in set(work.truncations)] if work.target.snapshot_id else []
        if not summary.rows and not ends:
            return None
        set_clock(work.target, work.stamp, work.intake.batch)
        branch = Branch(self.run, work.target, work.stamp)
        try:
            if ends:
                end_older_rows(self.run, branch, ends, work.stamp)
            write_rows(branch, key, rows, summary, self.cache)
            self.report.rows_out = branch.written
            faults.reached("silver.merged")
            self._audit(branch, key, rows, summary)
            faults.reached("silver.audited")
        except Exception:
            branch.drop()
            raise
        return branch

    def _audit(self, branch: Branch, key: Key, rows: DataFrame, summary: Summary) -> None:
        """The built-in checks and the registry's rules over the rows written. Raises HeldError when one fails."""
        columns = [quoted(c) for c in key.columns]
        near = branch.rows().where(key_range("", key.columns, summary.ranges))
        keys = rows.select(*columns)
        keys = keys.hint("broadcast") if summary.rows <= BROADCAST_ROWS else keys
        touched = near.join(keys, list(key.columns), "left_semi")
        expected = summary.rows - summary.null_keys
        built_in = {
            "unique_key": f"greatest(count(*) - {expected}, 0)",
            "no_row_lost": f"greatest({expected} - count(*), 0)",
        }
        rules, skipped = self._rules(branch)
        self._pass(
            [Check("not_null_key", "fail", summary.null_keys, 0), *rule_checks(touched, rules, built_in), *skipped]
        )

    def _pass(self, checks: Sequence[Check]) -> None:
        """Notes the checks. Raises HeldError when one of severity fail did not pass."""
        self.report.checks += checks
        failed = [c for c in checks if c.severity == "fail" and not c.passed]
        if failed:
            named = "; ".join(f"{c.name}: {c.value:g} rows, at most {c.limit:g} allowed" for c in failed)
            raise HeldError(f"{self.work.table_id}: failed its audit: {named}")

    def _rules(self, branch: Branch) -> tuple[list[Rule], list[Check]]:
        """The registry's rules; those about reference columns that are not there yet are named instead."""
        have = {name.lower() for name in branch.columns()}
        absent = [own for r in self.work.table.references for own in r.columns if own.lower() not in have]
        rules, skipped = [], []
        for rule in self.work.table.rules:
            about = [own for own in absent if re.search(rf"\b{re.escape(own)}\b", rule.where)]
            if about:
                detail = f"not looked at: no row of the referenced table has come yet, so there is no {about[0]}"
                skipped.append(Check(rule.name, "warn", 1, 0, detail))
            else:
                rules.append(rule)
        return rules, skipped

    def _history(self, shape: Shape, events: Events) -> Branch | None:
        """The events of a table without a key, on a branch."""
        work = self.work
        found = new_events(events, shape, work.target.rows())
        derived = derive(self.run, work.table_id, found, self.cache)
        rows = self.cache.keep(self._finished(Key((), (), ()), derived, set(found.columns), small=False))
        self.report.duplicates = events.profile.events
        if rows.isEmpty():
            return None
        set_clock(work.target, work.stamp, work.intake.batch)
        branch = Branch(self.run, work.target, work.stamp)
        try:
            branch.append(rows, [c for c in branch.columns() if c in set(rows.columns)])
            self.report.rows_out = branch.written
            self.report.duplicates -= branch.written
            faults.reached("silver.merged")
            self._pass(rule_checks(branch.rows().where(f"_batch = {work.stamp}"), work.table.rules))
            faults.reached("silver.audited")
        except Exception:
            branch.drop()
            raise
        return branch

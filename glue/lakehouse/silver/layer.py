"""The silver layer: every table's news applied on a branch, audited, then published, referenced tables first."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from lakehouse import faults
from lakehouse.columns import Column
from lakehouse.names import literal
from lakehouse.registry import Table
from lakehouse.report import Report, TableReport
from lakehouse.run import Run
from lakehouse.silver import references
from lakehouse.silver.held import HeldError
from lakehouse.silver.intake import look_at_landed, mark_read, read_intake
from lakehouse.silver.prepare import Prepared, Schemas, Work, prepare
from lakehouse.silver.quarantine import OpenQuarantine, open_events
from lakehouse.silver.references import SilverState
from lakehouse.silver.target import Target, open_target
from lakehouse.silver.truncations import stored_truncations

# Tables that don't refer to one another, side by side: each is mostly planning and small jobs.
WORKERS = 2
log = logging.getLogger("lakehouse.silver")


def run(run: Run, report: Report) -> None:
    """Brings silver up to the frontiers of what has landed; one entry a table in the report.

    A table that can't be published is held, with its reason, and the others go on.
    """
    layer = _Layer(run, report)
    layer.prepare()
    layer.publish()
    layer.conclude()


class _Layer:
    """One run over all tables."""

    def __init__(self, run: Run, report: Report) -> None:
        self._run = run
        self._report = report
        wanted = run.arguments.tables
        self._tables = [t for t in run.registry.tables if not wanted or t.table_id in wanted]
        self._entries = {
            t.table_id: TableReport(t.table_id, run.names.table("silver", t.table_id)) for t in run.registry.tables
        }
        self._targets: dict[str, Target] = {}
        self._states: dict[str, SilverState] = {}
        self._prepared: dict[str, Prepared] = {}
        self._look()

    def _look(self) -> None:
        """Reads what is common to all tables: news, schemas, TRUNCATEs, open quarantined events."""
        run = self._run
        for table in run.registry.tables:
            self._guarded(table.table_id, lambda t=table.table_id: self._open(t))
        self._landed = look_at_landed(run, self._targets)
        # a silver table that was dropped is made anew from all of bronze
        consumed = {t: self._landed.consumed[t] if target.exists else 0 for t, target in self._targets.items()}
        self._intakes = read_intake(run, self._landed, consumed)
        news = [t.table_id for t in self._tables if t.table_id in self._intakes and not self._intakes[t.table_id].empty]
        snapshot_id, counts = open_events(run)
        self._quarantine = {t: OpenQuarantine(run, t, snapshot_id, counts.get(t, 0)) for t in self._targets}
        flagged = [t for t, quarantine in self._quarantine.items() if quarantine.changed]
        self._schemas = read_schemas(run, {*news, *flagged})
        self._truncations = stored_truncations(run, news)
        for table_id, target in self._targets.items():
            clock = max(consumed[table_id], target.clock)
            self._states[table_id] = SilverState(target.table, target.snapshot_id, clock, target.columns)

    def _open(self, table_id: str) -> None:
        target = open_target(self._run, table_id)
        for tag in references.stale_tags(table_id, target.tags, self._run.registry.tables):
            target.table.drop_tag(tag)
        self._targets[table_id] = target

    def prepare(self) -> None:
        """Every table's next state on a branch; a table comes after those that it refers to."""
        with ThreadPoolExecutor(WORKERS) as workers:
            for tables in in_rounds(self._tables):
                ids = [t.table_id for t in tables if t.table_id in self._targets]
                list(workers.map(lambda t: self._guarded(t, lambda: self._prepare(t)), ids))

    def _prepare(self, table_id: str) -> None:
        run, table = self._run, self._run.registry.table(table_id)
        broken = [r.table_id for r in table.references if r.table_id not in self._targets]
        if broken:
            raise HeldError(f"{table_id}: it refers to {broken[0]}, which is held: {self._entries[broken[0]].held}")
        work = Work(
            table=table,
            intake=self._intakes[table_id],
            target=self._targets[table_id],
            schemas=self._schemas.get(table_id, {}),
            truncations=self._truncations.get(table_id, []),
            quarantine=self._quarantine[table_id],
            lookups=references.lookups(table_id, table.references, self._states),
        )
        entry = self._entries[table_id]
        entry.checks.clear()
        prepared = prepare(run, work, entry)
        self._prepared[table_id] = prepared
        self._states[table_id] = prepared.state

    def publish(self) -> None:
        """Fast-forwards main of every prepared table, then moves the tags of what it has consumed."""
        for table_id in list(self._prepared):
            self._guarded(table_id, lambda t=table_id: self._publish(t))

    def _publish(self, table_id: str) -> None:
        lookups = self._prepared[table_id].work.lookups
        if any(lookup.state != self._states[lookup.reference.table_id] for lookup in lookups):
            self._redo(table_id)  # a table that it refers to was published otherwise than it was read
        try:
            self._fast_forward(table_id)
        except Exception:
            log.warning("%s: main has moved, so its changes are applied once more", table_id)
            self._redo(table_id)
            self._fast_forward(table_id)
        faults.reached("silver.published_one")
        work = self._prepared[table_id].work
        mark_read(self._run, self._landed, work.intake)
        for lookup in work.lookups:
            lookup.mark_seen()
        work.quarantine.mark_seen(work.intake.batch)
        faults.reached("silver.tagged_one")

    def _fast_forward(self, table_id: str) -> None:
        prepared = self._prepared[table_id]
        if prepared.branch is None:
            return
        prepared.branch.publish()
        self._entries[table_id].published = True

    def _redo(self, table_id: str) -> None:
        prepared = self._prepared[table_id]
        if prepared.branch is not None:
            prepared.branch.drop()
        self._open(table_id)
        self._prepare(table_id)

    def _guarded(self, table_id: str, action: Callable[[], None]) -> None:
        """Does one thing for a table; when it fails, the table is held and stands as it is published."""
        entry = self._entries[table_id]
        if entry.held:
            return
        started = time.monotonic()
        try:
            action()
        except Exception as error:
            entry.held = str(error) if isinstance(error, HeldError) else f"{type(error).__name__}: {error}"[:2000]
            log.log(
                logging.WARNING if isinstance(error, HeldError) else logging.ERROR,
                "%s is held: %s",
                table_id,
                entry.held,
                exc_info=not isinstance(error, HeldError),
            )
            self._stand_back(table_id)
        entry.duration_ms += int((time.monotonic() - started) * 1000)

    def _stand_back(self, table_id: str) -> None:
        """Others read a held table as it is published."""
        prepared = self._prepared.pop(table_id, None)
        target = self._targets.get(table_id)
        if prepared is not None and prepared.branch is not None and not self._entries[table_id].published:
            prepared.branch.drop()
        if target is not None and table_id in self._states and not self._entries[table_id].published:
            clock = max(self._intakes[table_id].consumed_batch, target.clock)
            self._states[table_id] = SilverState(target.table, target.snapshot_id, clock, target.columns)

    def conclude(self) -> None:
        """Fills the report: what stands published now, for gold to read."""
        ids = [t.table_id for t in self._tables]
        self._report.tables = [self._entries[t] for t in ids]
        self._report.batch = max((i.batch for i in self._intakes.values()), default=0) or None
        manifest = {}
        for table_id, state in self._states.items():
            if state.snapshot_id is None:
                continue
            manifest[table_id] = {"snapshot_id": str(state.snapshot_id), "batch": state.clock}
            entry = self._entries[table_id]
            entry.snapshot_id, entry.batch = str(state.snapshot_id), state.clock
            entry.total_rows = total_rows(state.table.summary())
        self._report.extra["manifest"] = manifest


def total_rows(summary: Mapping[str, str]) -> int:
    """Rows of a snapshot from its summary: position deletes hide one row each."""
    return int(summary.get("total-records", "0")) - int(summary.get("total-position-deletes", "0"))


def in_rounds(tables: Sequence[Table]) -> list[list[Table]]:
    """The tables in rounds, each after those that it refers to.

    Raises ValueError when references lead back to their own table.
    """
    waiting, done, rounds = list(tables), set[str](), list[list[Table]]()
    ids = {t.table_id for t in tables}
    while waiting:
        ready = [t for t in waiting if all(r.table_id in done or r.table_id not in ids for r in t.references)]
        if not ready:
            names = ", ".join(t.table_id for t in waiting)
            raise ValueError(f"tables.yml: the references of {names} lead back to themselves; remove one of them")
        rounds.append(ready)
        done |= {t.table_id for t in ready}
        waiting = [t for t in waiting if t not in ready]
    return rounds


def read_schemas(run: Run, table_ids: Iterable[str]) -> Mapping[str, Schemas]:
    """Every schema that bronze knows of the tables, by id, the newest first."""
    wanted = ", ".join(literal(t) for t in table_ids)
    if not wanted:
        return {}
    rows = run.spark.sql(
        f"SELECT table_id, schema_id, columns, epoch, first_offset FROM {run.engine_table('bronze_schemas').name} "
        f"WHERE table_id IN ({wanted})"
    ).collect()
    found: dict[str, dict[str, Sequence[Column]]] = {}
    for row in sorted(rows, key=lambda r: (r.epoch, r.first_offset), reverse=True):
        columns = [Column(c["name"], c["type"], c["encoding"]) for c in row["columns"]]
        found.setdefault(row.table_id, {}).setdefault(row.schema_id, columns)
    return found

"""What bronze has taken: the offsets, files and batches in `landed`."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from lakehouse.names import CATALOG, literal, quoted
from lakehouse.offsets import Interval, gaps
from lakehouse.run import Run
from lakehouse.sqlfile import run_file

MANY_FILES = 64
KNOWN_FILES = timedelta(hours=28)
"""How far back a warm process keeps the keys that it took: what the listing of late deliveries asks for."""
log = logging.getLogger("lakehouse")


@dataclass(frozen=True, order=True)
class Partition:
    """One Kafka partition of a captured table in one epoch and cluster."""

    table_id: str
    epoch: int
    cluster: str
    topic: str
    partition: int


@dataclass(frozen=True)
class Island:
    """Offsets without a hole between; `since` is when the first of them was taken."""

    interval: Interval
    since: datetime


@dataclass(frozen=True)
class Gap:
    """Offsets that are missing below taken ones; `since` is when the first offset above them was taken."""

    interval: Interval
    since: datetime


Islands = Mapping[Partition, Sequence[Island]]


@dataclass(frozen=True)
class Landed:
    """`landed` at one snapshot (None: empty): its highest batch (0 at first) and what is covered."""

    snapshot_id: int | None
    batch: int
    islands: Islands


@dataclass(frozen=True)
class _KnownFiles:
    snapshot_id: int
    since: datetime | None
    keys: set[str]

    def covers(self, landed: Landed, since: datetime | None) -> bool:
        """Whether it tells about these hours at that snapshot."""
        return self.snapshot_id == landed.snapshot_id and (
            self.since is None or (since is not None and self.since <= since)
        )

    def after(self, snapshot_id: int, files: Iterable[str], horizon: datetime) -> "_KnownFiles":
        """With these files more; what is far older than the horizon is let go, so that it does not grow for ever."""
        keys = {*self.keys, *files}
        if self.since is not None and self.since >= horizon - timedelta(hours=1):
            return _KnownFiles(snapshot_id, self.since, keys)
        hour = horizon.strftime("%Y/%m/%d/%H")
        return _KnownFiles(snapshot_id, horizon, {key for key in keys if key.split("/", 2)[-1] >= hour})


# A snapshot never changes, so a warm process need not read again what it wrote itself: by table, one snapshot's state.
_states: dict[str, Landed] = {}
_files: dict[str, _KnownFiles] = {}


def look(run: Run) -> Landed:
    """`landed` as it is now."""
    table = run.engine_table("landed")
    snapshot_id = table.snapshot_id()
    known = _states.get(table.name)
    if known is None or known.snapshot_id != snapshot_id:
        known = _states[table.name] = _read(run, snapshot_id)
    return known


def _read(run: Run, snapshot_id: int | None) -> Landed:
    if snapshot_id is None:
        return Landed(None, 0, {})
    as_of = f"{run.engine_table('landed').name} VERSION AS OF {snapshot_id}"
    rows = run_file(run.spark, run.assets, "sql/bronze/islands.sql", {"landed": as_of}).collect()
    found: dict[Partition, list[Island]] = {}
    for row in rows:
        if row.from_offset is not None:
            partition = Partition(row.table_id, row.epoch, row.cluster, row.topic, row.partition)
            found.setdefault(partition, []).append(Island((row.from_offset, row.to_offset), _utc(row.since)))
    for of_partition in found.values():
        of_partition.sort(key=lambda island: island.interval)
    return Landed(snapshot_id, max((row.batch for row in rows), default=0), found)


def _utc(micros: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=micros)


def taken_files(run: Run, landed: Landed, since: datetime | None) -> set[str]:
    """Keys of the landing files that are taken and lie under the hour of `since` or later; None: of all."""
    if landed.snapshot_id is None:
        return set()
    table = run.engine_table("landed")
    known = _files.get(table.name)
    if known is None or not known.covers(landed, since):
        # no object is taken before the hour that its key names, but for a clock that is wrong
        where = f"WHERE processed_at >= TIMESTAMP '{(since - timedelta(hours=2)).isoformat()}'" if since else ""
        rows = run.spark.sql(f"SELECT src_file FROM {table.name} VERSION AS OF {landed.snapshot_id} {where}").collect()
        known = _files[table.name] = _KnownFiles(landed.snapshot_id, since, {row.src_file for row in rows})
    return known.keys


def remember(run: Run, before: Landed, batch: int, islands: Islands, files: Iterable[str]) -> None:
    """Keeps the state that this run's own commit made of `before`; nothing when anybody else has written as well."""
    table = run.engine_table("landed")
    snapshot = table.java().currentSnapshot()
    if snapshot.parentId() != before.snapshot_id:
        return
    _states[table.name] = Landed(snapshot.snapshotId(), batch, islands)
    known = _files.get(table.name)
    if known and known.snapshot_id == before.snapshot_id:
        _files[table.name] = known.after(snapshot.snapshotId(), files, run.started_at - KNOWN_FILES)


def tidy(run: Run) -> None:
    """Joins the files of `landed`, one a batch, when there are many: every run of every layer reads all of them."""
    table = run.engine_table("landed")
    if int(table.summary().get("total-data-files", "0")) < MANY_FILES:
        return
    before = table.snapshot_id()
    try:
        name = literal(f"{quoted(table.database)}.{quoted(table.bare)}")
        options = "map('rewrite-all', 'true')"
        run.spark.sql(f"CALL {CATALOG}.system.rewrite_data_files(table => {name}, options => {options})").collect()
    except Exception as error:  # the batch is committed; the next run tries again
        log.warning("the files of %s could not be joined: %s", table.bare, error)
        return
    snapshot = table.java().currentSnapshot()
    if snapshot.parentId() == before:
        _move(table.name, before, snapshot.snapshotId())


def _move(name: str, before: int | None, after: int) -> None:
    """The same rows under another snapshot."""
    if name in _states and _states[name].snapshot_id == before:
        _states[name] = replace(_states[name], snapshot_id=after)
    if name in _files and _files[name].snapshot_id == before:
        _files[name] = replace(_files[name], snapshot_id=after)


def current(islands: Islands) -> list[Partition]:
    """Partitions of each topic's highest epoch, in order: what is missing of an older one can't come any more."""
    epochs: dict[tuple[str, int], int] = {}
    for p in islands:
        epochs[p.topic, p.partition] = max(p.epoch, epochs.get((p.topic, p.partition), 0))
    return sorted(p for p in islands if p.epoch == epochs[p.topic, p.partition])


def beginning(partition: Partition, islands: Islands) -> int:
    """The first offset of the partition's epoch, which must be among the islands.

    A topic's offsets go on from epoch to epoch, and no record of an older epoch follows one of a newer: the first is
    the one behind all older ones. Where it has begun below these, the topic was made anew, and the first is 0.
    """
    older = [found[-1].interval[1] for p, found in islands.items() if _is_older(p, partition)]
    behind = max(older, default=-1) + 1
    return behind if islands[partition][0].interval[0] >= behind else 0


def _is_older(one: Partition, other: Partition) -> bool:
    """Whether it is the same Kafka partition in an older epoch."""
    return one.epoch < other.epoch and replace(one, epoch=other.epoch) == other


def gaps_of(partition: Partition, islands: Islands) -> list[Gap]:
    """The gaps of one partition, lowest first."""
    found = islands[partition]
    return [
        Gap(interval, min(island.since for island in found if island.interval[0] > interval[1]))
        for interval in gaps([island.interval for island in found], beginning(partition, islands))
    ]


def oldest_gap(islands: Islands) -> datetime | None:
    """Since when the oldest gap that can still be filled is known; None without one."""
    return min((gap.since for p in current(islands) for gap in gaps_of(p, islands)), default=None)


def batches(run: Run, wanted: Collection[int]) -> set[int]:
    """Which of these batches are committed."""
    listed = ", ".join(str(batch) for batch in sorted(wanted))
    rows = run.spark.sql(f"SELECT DISTINCT batch FROM {run.engine_table('landed').name} WHERE batch IN ({listed})")
    return {row.batch for row in rows.collect()}

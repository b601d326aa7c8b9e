"""What bronze has taken: the offset intervals of `landed`, its frontiers and its batches."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from lakehouse.offsets import Interval, frontier, gaps
from lakehouse.run import Run
from lakehouse.sqlfile import run_file


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
class Frontier:
    """Nothing of the partition is missing up to and including offset `frontier`; -1 when offset 0 is missing."""

    table_id: str
    epoch: int
    cluster: str
    topic: str
    partition: int
    frontier: int


def islands(run: Run, snapshot_id: int | None = None) -> dict[Partition, list[Island]]:
    """The covered intervals of every partition, in order; as of a snapshot of `landed`, else now."""
    landed = run.engine_table("landed")
    as_of = f"{landed.name} VERSION AS OF {snapshot_id}" if snapshot_id else landed.name
    found: dict[Partition, list[Island]] = {}
    for row in run_file(run.spark, run.assets, "sql/bronze/islands.sql", {"landed": as_of}).collect():
        partition = Partition(row.table_id, row.epoch, row.cluster, row.topic, row.partition)
        found.setdefault(partition, []).append(Island((row.from_offset, row.to_offset), _utc(row.since)))
    for of_partition in found.values():
        of_partition.sort(key=lambda island: island.interval)
    return found


def _utc(micros: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=micros)


def frontiers(run: Run, snapshot_id: int | None = None) -> list[Frontier]:
    """The frontier of every partition of every table, as of a snapshot of `landed`, else now."""
    return [
        Frontier(p.table_id, p.epoch, p.cluster, p.topic, p.partition, frontier([i.interval for i in found]))
        for p, found in sorted(islands(run, snapshot_id).items())
    ]


@dataclass(frozen=True)
class Gap:
    """Offsets that are missing below taken ones; `since` is when the first offset above them was taken."""

    interval: Interval
    since: datetime


def gaps_of(found: Sequence[Island]) -> list[Gap]:
    """The gaps of one partition, lowest first."""
    return [
        Gap(interval, min(island.since for island in found if island.interval[0] > interval[1]))
        for interval in gaps([island.interval for island in found])
    ]


def oldest_gap(all_islands: Mapping[Partition, Sequence[Island]]) -> datetime | None:
    """Since when the oldest gap of any partition is known; None without a gap."""
    return min((gap.since for found in all_islands.values() for gap in gaps_of(found)), default=None)


def batches(run: Run, wanted: Collection[int]) -> set[int]:
    """Which of these batches are committed."""
    listed = ", ".join(str(batch) for batch in sorted(wanted))
    rows = run.spark.sql(f"SELECT DISTINCT batch FROM {run.engine_table('landed').name} WHERE batch IN ({listed})")
    return {row.batch for row in rows.collect()}


def highest_batch(run: Run) -> int:
    """The number of the newest bronze commit; 0 before the first."""
    return run.spark.sql(f"SELECT MAX(batch) AS batch FROM {run.engine_table('landed').name}").collect()[0].batch or 0

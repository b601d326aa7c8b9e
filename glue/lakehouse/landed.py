"""What bronze has taken: the offset intervals of `landed`, its frontiers and its batches."""

from dataclasses import dataclass
from datetime import datetime

from lakehouse.offsets import Interval, frontier
from lakehouse.run import Run

_ISLANDS = """
WITH packs AS (
    SELECT table_id, epoch, cluster, topic, partition, from_offset, to_offset, processed_at,
        MAX(to_offset) OVER (
            PARTITION BY table_id, epoch, cluster, topic, partition ORDER BY from_offset, to_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS covered_to
    FROM {packs}
    WHERE from_offset IS NOT NULL
),
islands AS (
    SELECT *, SUM(IF(from_offset <= covered_to + 1, 0, 1)) OVER (
        PARTITION BY table_id, epoch, cluster, topic, partition ORDER BY from_offset, to_offset
    ) AS island
    FROM packs
)
SELECT table_id, epoch, cluster, topic, partition,
    MIN(from_offset) AS from_offset, MAX(to_offset) AS to_offset, MIN(processed_at) AS since
FROM islands
GROUP BY table_id, epoch, cluster, topic, partition, island
"""


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
    packs = landed.at(snapshot_id) if snapshot_id else run.spark.table(landed.name)
    found: dict[Partition, list[Island]] = {}
    for row in run.spark.sql(_ISLANDS, packs=packs).collect():
        partition = Partition(row.table_id, row.epoch, row.cluster, row.topic, row.partition)
        found.setdefault(partition, []).append(Island((row.from_offset, row.to_offset), row.since))
    for of_partition in found.values():
        of_partition.sort(key=lambda island: island.interval)
    return found


def frontiers(run: Run, snapshot_id: int | None = None) -> list[Frontier]:
    """The frontier of every partition of every table, as of a snapshot of `landed`, else now."""
    return [
        Frontier(p.table_id, p.epoch, p.cluster, p.topic, p.partition, frontier([i.interval for i in found]))
        for p, found in sorted(islands(run, snapshot_id).items())
    ]


def highest_batch(run: Run) -> int:
    """The number of the newest bronze commit; 0 before the first."""
    return run.spark.sql(f"SELECT MAX(batch) AS batch FROM {run.engine_table('landed').name}").collect()[0].batch or 0

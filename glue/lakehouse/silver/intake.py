"""What is new for each table: offsets between the frontier that silver has seen and today's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lakehouse.iceberg import Consumed, mark_consumed
from lakehouse.landed import Partition
from lakehouse.names import literal
from lakehouse.run import Run

# Frontiers as silver saw them (packs up to the consumed batch) and as they are now, in one pass over the packs. An
# epoch begins at 0, or behind the last offset of the older ones (landed.beginning).
_FRONTIERS = """
WITH packs AS (
    SELECT p.table_id, p.epoch, p.cluster, p.topic, p.partition, p.from_offset, p.to_offset, p.batch,
        IF(p.batch > c.batch AND p.accepted > 0, p.from_offset, NULL) AS news_from, seen
    FROM {packs} AS p
    INNER JOIN VALUES {consumed} AS c (table_id, batch) ON p.table_id = c.table_id
    LATERAL VIEW explode(IF(p.batch <= c.batch, array(true, false), array(false))) AS seen
    WHERE p.from_offset IS NOT NULL
),
reach AS (
    SELECT *, MAX(to_offset) OVER (
        PARTITION BY seen, table_id, epoch, cluster, topic, partition ORDER BY from_offset, to_offset
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS covered_to, MAX(to_offset) OVER (
        PARTITION BY seen, table_id, cluster, topic, partition ORDER BY epoch
        RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS older_to
    FROM packs
),
islands AS (
    SELECT *, SUM(IF(
        from_offset <= covered_to + 1 OR (covered_to IS NULL AND from_offset IN (0, older_to + 1)), 0, 1
    )) OVER (
        PARTITION BY seen, table_id, epoch, cluster, topic, partition ORDER BY from_offset, to_offset
    ) AS holes
    FROM reach
)
SELECT table_id, epoch, cluster, topic, partition, (SELECT MAX(batch) FROM {packs}) AS batch,
    coalesce(MAX(IF(seen AND holes = 0, to_offset, NULL)), -1) AS seen_to,
    coalesce(MAX(IF(NOT seen AND holes = 0, to_offset, NULL)), -1) AS frontier,
    MIN(IF(seen, NULL, news_from)) AS news_from
FROM islands
GROUP BY table_id, epoch, cluster, topic, partition
"""


@dataclass(frozen=True)
class Slice:
    """Offsets of one Kafka partition that silver has not seen: after < offset <= up_to."""

    partition: Partition
    after: int
    up_to: int
    late: bool  # packs have come whose offsets begin at or before `after`

    def where(self) -> str:
        """Bronze rows of the slice, with literal bounds that prune files."""
        return f"({self._partition()} AND `offset` > {self.after} AND `offset` <= {self.up_to})"

    def where_late(self, consumed_batch: int) -> str:
        """Bronze rows that came after silver had passed their offsets."""
        return f"({self._partition()} AND `offset` <= {self.after} AND batch > {consumed_batch})"

    def where_before(self) -> str:
        """Bronze rows of the partition that silver has seen."""
        return f"({self._partition()} AND `offset` <= {self.after})"

    def _partition(self) -> str:
        p = self.partition
        return (
            f"epoch = {p.epoch} AND cluster = {literal(p.cluster)} AND topic = {literal(p.topic)} "
            f"AND `partition` = {p.partition}"
        )


@dataclass(frozen=True)
class Intake:
    """One table's news up to landed batch `batch`; `consumed_batch` is the batch that silver is at (0 at first)."""

    table_id: str
    batch: int
    consumed_batch: int
    slices: tuple[Slice, ...]

    @property
    def empty(self) -> bool:
        return not self.slices

    def where(self) -> str:
        """SQL of the bronze rows to read."""
        late = [s.where_late(self.consumed_batch) for s in self.slices if s.late]
        return " OR ".join([s.where() for s in self.slices if s.up_to > s.after] + late)

    def late(self) -> str:
        """SQL that tells the rows behind the frontier from the others."""
        late = [s.where_late(self.consumed_batch) for s in self.slices if s.late]
        return " OR ".join(late) or "false"


def consumer(table_id: str) -> str:
    """The name under which silver's tags on `landed` stand for a table."""
    return f"silver_{table_id}"


@dataclass(frozen=True)
class Landed:
    """`landed` as the run sees it: its snapshot (None: nothing yet), and the batch each table's silver is at."""

    snapshot_id: int | None
    consumed: Mapping[str, int]


def look_at_landed(run: Run, table_ids: Iterable[str]) -> Landed:
    """Pins the state of `landed` that this run works on."""
    landed = run.engine_table("landed")
    consumed = dict.fromkeys(table_ids, 0)
    snapshot_id = landed.snapshot_id() if landed.exists() else None
    by_consumer = {consumer(table_id): table_id for table_id in consumed}
    for tag in landed.refs("TAG") if snapshot_id is not None else ():
        name, _, batch = tag.rpartition("_b")
        if name in by_consumer and batch.isdigit():
            consumed[by_consumer[name]] = max(consumed[by_consumer[name]], int(batch))
    return Landed(snapshot_id, consumed)


def read_intake(run: Run, landed: Landed, consumed: Mapping[str, int]) -> dict[str, Intake]:
    """Each table's news since the batch that it has consumed."""
    if landed.snapshot_id is None or not consumed:
        return {t: Intake(t, 0, 0, ()) for t in consumed}
    values = ", ".join(f"({literal(t)}, {batch}L)" for t, batch in consumed.items())
    packs = run.engine_table("landed").at(landed.snapshot_id)
    rows = run.spark.sql(_FRONTIERS.replace("{consumed}", values), packs=packs).collect()
    batch = max((row.batch for row in rows), default=0)
    slices: dict[str, list[Slice]] = {t: [] for t in consumed}
    for row in rows:
        late = row.news_from is not None and row.news_from <= row.seen_to
        if late or row.frontier > row.seen_to:
            partition = Partition(row.table_id, row.epoch, row.cluster, row.topic, row.partition)
            slices[row.table_id].append(Slice(partition, row.seen_to, row.frontier, late))
    return {t: Intake(t, batch, consumed[t], tuple(sorted(slices[t], key=lambda s: s.partition))) for t in consumed}


def mark_read(run: Run, landed: Landed, intake: Intake) -> None:
    """Moves the table's tag on `landed`: its news are published."""
    if landed.snapshot_id is not None and not intake.empty:
        now = Consumed(intake.batch, landed.snapshot_id)
        mark_consumed(run.engine_table("landed"), consumer(intake.table_id), now)

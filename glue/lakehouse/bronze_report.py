"""What bronze tells its gate: rows, quarantined records, frontiers and gaps of every captured table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lakehouse.bronze_plan import PlannedPack
from lakehouse.landed import Islands, Partition, beginning, current, gaps_of
from lakehouse.landing import Listing, captured_tables, table_of
from lakehouse.offsets import frontier
from lakehouse.packs import WrongPack
from lakehouse.report import Check, Report, TableReport, utc_text
from lakehouse.run import Run

HIGH_WATER = "cdc.high-water-lsn"
"""Snapshot property of bronze: the highest LSN it holds, for people."""


@dataclass(frozen=True)
class Taken:
    """One batch; without files nothing was taken and it is the last one. `accepted` says by pack id how much of a pack
    was new: (events, quarantined records)."""

    batch: int
    files: Sequence[str] = ()
    planned: Sequence[PlannedPack] = ()
    accepted: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    wrong: Sequence[WrongPack] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)

    def quarantined(self) -> int:
        """Rows that the batch adds to quarantine."""
        return sum(quarantined for _, quarantined in self.accepted.values()) + len(self.wrong) + len(self.unreadable)


def fill_report(run: Run, report: Report, listing: Listing, islands: Islands, taken: Taken) -> None:
    """Writes the outcome of a run into its report. `islands` are the covered offsets after it."""
    report.batch = taken.batch
    report.tables = [_table_report(run, table_id, islands, taken) for table_id in captured_tables(run)]
    report.extra["partitions"] = [_partition_json(partition, islands) for partition in current(islands)]
    report.extra["listing"] = listing.to_json()
    if listing.strangers:
        detail = f"landing zones without an entry in tables.yml are left alone: {', '.join(listing.strangers)}"
        report.checks.append(Check("unregistered_landing", "warn", len(listing.strangers), 0, detail))


def _table_report(run: Run, table_id: str, islands: Islands, taken: Taken) -> TableReport:
    table = run.layer_table("bronze", table_id)
    summary = table.summary() if table.exists() else {}
    report = TableReport(table_id, table.bare, published=True, batch=taken.batch)
    report.snapshot_id = summary.get("snapshot-id")
    report.total_rows = int(summary.get("total-records", "0"))
    report.high_water_lsn = summary.get(HIGH_WATER)
    for planned in (p for p in taken.planned if p.pack.table_id == table_id):
        events, quarantined = taken.accepted[planned.pack.pack_id]
        report.rows_in += planned.pack.events
        report.rows_out += events
        report.quarantined += quarantined
        report.late += events if planned.late else 0
    report.duplicates = report.rows_in - report.rows_out
    report.quarantined += sum(wrong.table_id == table_id for wrong in taken.wrong)
    report.quarantined += sum(table_of(key) == table_id for key in taken.unreadable)
    report.checks = [_quarantined_check(report.quarantined), _gap_check(table_id, islands)]
    return report


def _quarantined_check(count: int) -> Check:
    detail = "records, lines or files that could not be understood are in quarantine" if count else None
    return Check("quarantined", "warn", count, 0, detail)


def _gap_check(table_id: str, islands: Islands) -> Check:
    """Missing offsets warn at once; the gate makes a failure of those that stay for an hour."""
    gaps = [(p, gap) for p in current(islands) if p.table_id == table_id for gap in gaps_of(p, islands)]
    missing = sum(gap.interval[1] - gap.interval[0] + 1 for _, gap in gaps)
    if not gaps:
        return Check("offset_gap", "warn", 0, 0)
    partition, first = min(gaps, key=lambda g: g[1].since)
    detail = (
        f"{partition.topic}/{partition.partition}: offsets {first.interval[0]} to {first.interval[1]} have not landed, "
        f"known since {utc_text(first.since)}; silver stops before them"
    )
    return Check("offset_gap", "warn", missing, 0, detail)


def _partition_json(partition: Partition, islands: Islands) -> dict[str, Any]:
    intervals = [island.interval for island in islands[partition]]
    reached = frontier(intervals, beginning(partition, islands))
    return {
        "topic": partition.topic,
        "partition": partition.partition,
        "frontier": None if reached < 0 else str(reached),
        "highest": str(intervals[-1][1]),
        "gaps": [
            {"from": str(gap.interval[0]), "to": str(gap.interval[1]), "since": utc_text(gap.since)}
            for gap in gaps_of(partition, islands)
        ],
    }

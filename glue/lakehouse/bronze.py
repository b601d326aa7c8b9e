"""Bronze: takes every new change event out of the landing zone, each Kafka record once."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame

from lakehouse import landed
from lakehouse.bronze_commit import Staged, commit, recover
from lakehouse.bronze_plan import PlannedPack, islands_after, plan
from lakehouse.bronze_report import HIGH_WATER, Taken, fill_report
from lakehouse.bronze_schemas import register_schemas
from lakehouse.lake_tables import ensure_bronze_table, ensure_engine_tables
from lakehouse.landed import Landed
from lakehouse.landing import list_landing, remember_listing, table_of
from lakehouse.packs import PACKS, read_packs
from lakehouse.report import Report, utc_text
from lakehouse.run import Run
from lakehouse.sqlfile import run_file

SMALL_WRITE = 20_000
"""Rows up to which a table's part of a batch is written as one file."""


def run(run: Run, report: Report) -> None:
    """Takes one batch, as much as one run may, and fills the report."""
    ensure_engine_tables(run)
    recover(run)
    before = landed.look(run)
    listing = list_landing(run, before)
    taken = Taken(before.batch)
    islands = before.islands
    if listing.files:
        taken = _take(run, before, [file.key for file in listing.files])
        islands = islands_after(before.islands, (p.pack for p in taken.planned), run.started_at)
        landed.remember(run, before, taken.batch, islands, taken.files)
        landed.tidy(run)
    remember_listing(run, listing)
    fill_report(run, report, listing, islands, taken)


def _take(run: Run, before: Landed, keys: Sequence[str]) -> Taken:
    """Commits the files' packs as one batch."""
    packs = read_packs(run, keys)
    try:
        planned = plan(packs.packs, before.islands)
        taken = Taken(before.batch + 1, keys, planned, _accepted(run, planned), packs.wrong, packs.unreadable)
        register_schemas(run, planned)
        commit(run, taken.batch, _staged(run, taken), _landed_rows(run, taken))
        return taken
    finally:
        packs.release()


def _accepted(run: Run, planned: Sequence[PlannedPack]) -> dict[str, tuple[int, int]]:
    """How many events and quarantined records of each pack are new, by pack id."""
    accepted = {p.pack.pack_id: (p.pack.events, p.pack.quarantined) if p.is_new else (0, 0) for p in planned}
    overlapping = [p.pack.pack_id for p in planned if not p.is_new and not p.is_duplicate]
    if overlapping:
        values = {"pack_ids": json.dumps(overlapping), "covered": _covered(planned)}
        rows = run_file(run.spark, run.assets, "sql/bronze/new_in_packs.sql", {"packs": PACKS}, values).collect()
        accepted.update({row.pack_id: (row.events, row.quarantined) for row in rows})
    return accepted


def _covered(planned: Iterable[PlannedPack]) -> str:
    """The offsets to leave out of each pack, as the queries take it."""
    return json.dumps(
        {p.pack.pack_id: [{"from_offset": a, "to_offset": b} for a, b in p.covered] for p in planned if p.covered}
    )


def _staged(run: Run, taken: Taken) -> list[Staged]:
    """What each table gets of the batch."""
    covered = _covered(taken.planned)
    stamps = {"covered": covered, "batch": taken.batch, "processed_at": utc_text(run.started_at)}
    events: dict[str, int] = defaultdict(int)
    for p in taken.planned:
        events[p.pack.table_id] += taken.accepted[p.pack.pack_id][0]
    staged = [_staged_events(run, t, count, taken, stamps) for t, count in sorted(events.items()) if count]
    if taken.quarantined():
        values = {**stamps, "unreadable": json.dumps(taken.unreadable)}
        query = _query(run, "sql/bronze/quarantined.sql", values, taken.quarantined())
        staged.append(Staged(run.engine_table("quarantine"), query, taken.quarantined(), {}))
    return staged


def _staged_events(run: Run, table_id: str, count: int, taken: Taken, stamps: Mapping[str, Any]) -> Staged:
    table = ensure_bronze_table(run, table_id)
    lsns = [p.pack.high_lsn or 0 for p in taken.planned if p.pack.table_id == table_id and not p.is_duplicate]
    high_water = max([*lsns, int(table.summary().get(HIGH_WATER, "0"))])
    query = _query(run, "sql/bronze/events.sql", {**stamps, "table_id": table_id}, count)
    return Staged(table, query, count, {HIGH_WATER: str(high_water)})


def _query(run: Run, path: str, values: Mapping[str, Any], rows: int) -> Any:
    def query() -> DataFrame:
        found = run_file(run.spark, run.assets, path, {"packs": PACKS}, values)
        return found.coalesce(1) if rows <= SMALL_WRITE else found

    return query


def _landed_rows(run: Run, taken: Taken) -> list[dict[str, Any]]:
    """One row a pack; files without a pack that can be taken have one too, so that they are not read again."""
    stamps = {"batch": taken.batch, "run_id": run.arguments.run_id, "processed_at": utc_text(run.started_at)}
    rows = [{**_landed_row(p, *taken.accepted[p.pack.pack_id]), **stamps} for p in taken.planned]
    with_packs = {p.pack.src_file for p in taken.planned}
    for key in taken.files:
        if key not in with_packs:
            wrong = sum(w.src_file == key for w in taken.wrong) + (key in taken.unreadable)
            rows.append({"table_id": table_of(key), "src_file": key, "quarantined": wrong, **stamps})
    return rows


def _landed_row(planned: PlannedPack, events: int, quarantined: int) -> dict[str, Any]:
    pack = planned.pack
    return {
        "table_id": pack.table_id,
        "epoch": pack.partition.epoch,
        "cluster": pack.partition.cluster,
        "topic": pack.partition.topic,
        "partition": pack.partition.partition,
        "from_offset": pack.interval[0],
        "to_offset": pack.interval[1],
        "events": pack.events,
        "accepted": events,
        "quarantined": quarantined,
        "src_file": pack.src_file,
        "line": pack.line,
        "landed_at": pack.landed_at,
    }

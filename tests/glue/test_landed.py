from datetime import datetime, timedelta, timezone

from lake import Lake
from lakehouse import landed
from lakehouse.lake_tables import ensure_engine_tables
from lakehouse.run import Run

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


def take(run: Run, batch: int, table_id: str, intervals: list[tuple[int | None, int | None]], epoch: int = 1) -> int:
    rows = ", ".join(
        f"({batch}L, '{table_id}', {epoch}, 'k', 'cdc.{table_id}', 0, {'NULL' if a is None else a}, "
        f"{'NULL' if b is None else b}, 1L, 1L, 0L, 'f{batch}', 1, NULL, 'r', "
        f"TIMESTAMP '{(NOON + timedelta(hours=batch)).isoformat()}')"
        for a, b in intervals
    )
    run.spark.sql(f"INSERT INTO {run.engine_table('landed').name} VALUES {rows}")
    snapshot = run.engine_table("landed").snapshot_id()
    assert snapshot
    return snapshot


def test_the_frontier_stops_at_the_first_hole_and_moves_on_when_it_is_filled(lake: Lake) -> None:
    run = lake.run()
    ensure_engine_tables(run)
    ensure_engine_tables(run)
    assert landed.frontiers(run) == []
    assert landed.highest_batch(run) == 0

    first = take(run, 1, "public.users", [(0, 4), (5, 9), (3, 6), (20, 29), (None, None)])
    take(run, 2, "public.users", [(10, 19), (40, 40)])
    take(run, 3, "public.orders", [(7, 9)])
    take(run, 3, "public.orders", [(0, 2)], epoch=2)

    assert [(f.table_id, f.epoch, f.frontier) for f in landed.frontiers(run)] == [
        ("public.orders", 1, -1),
        ("public.orders", 2, 2),
        ("public.users", 1, 29),
    ]
    assert [(f.table_id, f.frontier) for f in landed.frontiers(run, first)] == [("public.users", 9)]
    assert landed.highest_batch(run) == 3

    users = landed.islands(run)[landed.Partition("public.users", 1, "k", "cdc.public.users", 0)]
    assert [(i.interval, i.since.hour) for i in users] == [((0, 29), 13), ((40, 40), 14)]

from datetime import datetime, timedelta, timezone

import pytest

from lake import Lake
from lakehouse import landed
from lakehouse.lake_tables import ensure_engine_tables
from lakehouse.offsets import frontier
from lakehouse.run import Run

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


def take(run: Run, batch: int, table_id: str, intervals: list[tuple[int | None, int | None]], epoch: int = 1) -> None:
    rows = ", ".join(
        f"({batch}L, '{table_id}', {epoch}, 'k', 'cdc.{table_id}', 0, {'NULL' if a is None else a}, "
        f"{'NULL' if b is None else b}, 1L, 1L, 0L, 'f{batch}', 1, NULL, 'r', "
        f"TIMESTAMP '{(NOON + timedelta(hours=batch)).isoformat()}')"
        for a, b in intervals
    )
    run.spark.sql(f"INSERT INTO {run.engine_table('landed').name} VALUES {rows}")


def frontiers(state: landed.Landed) -> dict[tuple[str, int], int]:
    return {
        (p.table_id, p.epoch): frontier([i.interval for i in found], landed.beginning(p, state.islands))
        for p, found in state.islands.items()
    }


def test_the_frontier_stops_at_the_first_hole_and_moves_on_when_it_is_filled(lake: Lake) -> None:
    run = lake.run()
    ensure_engine_tables(run)
    ensure_engine_tables(run)
    assert landed.look(run) == landed.Landed(None, 0, {})

    take(run, 1, "public.users", [(0, 4), (5, 9), (3, 6), (20, 29), (None, None)])
    state = landed.look(run)
    assert (state.batch, frontiers(state)) == (1, {("public.users", 1): 9})
    assert landed.oldest_gap(state.islands) == NOON + timedelta(hours=1)

    take(run, 2, "public.users", [(10, 19), (40, 40)])
    take(run, 3, "public.orders", [(7, 9)])
    take(run, 3, "public.orders", [(0, 2)], epoch=2)
    state = landed.look(run)
    assert state.batch == 3
    assert frontiers(state) == {("public.orders", 1): -1, ("public.orders", 2): 2, ("public.users", 1): 29}

    [users] = [p for p in state.islands if p.table_id == "public.users"]
    assert [(i.interval, i.since.hour) for i in state.islands[users]] == [((0, 29), 13), ((40, 40), 14)]
    assert [gap.interval for gap in landed.gaps_of(users, state.islands)] == [(30, 39)]


def test_a_state_kept_by_the_process_is_dropped_when_another_writer_commits(lake: Lake) -> None:
    run = lake.run()
    ensure_engine_tables(run)
    take(run, 1, "public.users", [(0, 4)])
    before = landed.look(run)
    take(run, 2, "public.users", [(5, 6)])
    take(run, 3, "public.users", [(7, 7)])
    landed.remember(run, before, 2, {}, ["mine"])
    assert frontiers(landed.look(run)) == {("public.users", 1): 7}
    assert landed.taken_files(run, landed.look(run), None) == {"f1", "f2", "f3"}


def test_many_files_are_joined_without_a_change_of_what_is_known(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    run = lake.run()
    ensure_engine_tables(run)
    table = run.engine_table("landed")
    for batch in range(1, 4):
        take(run, batch, "public.users", [(batch, batch)])
    before = landed.look(run)
    landed.taken_files(run, before, None)
    landed.tidy(run)
    assert table.summary()["total-data-files"] == "3"

    monkeypatch.setattr(landed, "MANY_FILES", 3)
    landed.tidy(run)

    assert table.summary()["total-data-files"] == "1"
    assert len(lake.rows("landed")) == 3
    after = landed.look(run)
    assert (after.batch, after.islands) == (before.batch, before.islands)
    assert after.snapshot_id == table.snapshot_id() != before.snapshot_id
    monkeypatch.setattr(landed, "run_file", None)  # nothing is read again
    assert landed.look(run) is after
    assert landed.taken_files(run, after, None) == {"f1", "f2", "f3"}


def test_a_warm_process_keeps_the_keys_of_the_last_hours_alone(lake: Lake) -> None:
    run = lake.run()
    ensure_engine_tables(run)
    take(run, 1, "public.users", [(0, 4)])
    before = landed.look(run)
    landed.taken_files(run, before, None)
    take(run, 2, "public.users", [(5, 6)])

    def key(hours_ago: int) -> str:
        return f"landing/public.users/{run.started_at - timedelta(hours=hours_ago):%Y/%m/%d/%H}/a.gz"

    landed.remember(run, before, 2, before.islands, [key(40), key(27), key(0)])
    after = landed.look(run)
    assert after.batch == 2
    recent = landed.taken_files(run, after, run.started_at - timedelta(hours=26))
    assert {key(27), key(0)} <= recent
    assert key(40) not in recent
    assert landed.taken_files(run, after, run.started_at - timedelta(hours=50)) == set()  # asked of the table

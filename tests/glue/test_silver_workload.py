"""Random lives of a table, landed in any order and more than once: silver equals the source row by row."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from lake import Lake
from lakehouse import silver
from lakehouse.report import Report
from workload import Workload

TABLES_A_SEED = 4
ROUNDS = 3


@pytest.mark.parametrize("seed", [1, 2])
def test_silver_equals_the_source_after_any_life_of_a_table(new_lake: Callable[[str | None], Lake], seed: int) -> None:
    names = [f"things_{i}" for i in range(TABLES_A_SEED)]
    lake = new_lake("project: cdc_demo\nepoch: 1\ntables:\n" + "".join(f"  {name}: {{}}\n" for name in names))
    chance = random.Random(seed)
    lives = {f"public.{name}": Workload(seed * 100 + i, f"public.{name}") for i, name in enumerate(names)}
    waiting: list[dict[str, Any]] = []

    for turn in range(ROUNDS):
        for life in lives.values():
            for _ in range(chance.randint(4, 16)):
                life.step()
            if turn == ROUNDS - 1:
                life.settle()
            waiting += life.packs()
        waiting = land_some(lake, waiting, chance, everything=turn == ROUNDS - 1)
        lake.bronze()
        run_silver(lake)

    for table_id, life in lives.items():
        assert shown(lake, table_id) == expected(life), f"{table_id}: seed {seed}"


def land_some(
    lake: Lake, waiting: list[dict[str, Any]], chance: random.Random, everything: bool
) -> list[dict[str, Any]]:
    """Lands packs in random order, some twice; what stays behind makes gaps for this round."""
    chance.shuffle(waiting)
    late = [] if everything else [p for p in waiting if chance.random() < 0.1]
    for pack in waiting:
        if pack not in late:
            for _ in range(2 if chance.random() < 0.1 else 1):
                lake.land(pack)
    return late


def run_silver(lake: Lake) -> Report:
    run = lake.run("silver")
    report = run.new_report()
    silver.run(run, report)
    assert [t.held for t in report.tables if t.held] == []
    return report


def shown(lake: Lake, table_id: str) -> dict[int, dict[str, Any]]:
    rows = lake.sql(f"SELECT id, note, big, n, is_active, quality_flags FROM {lake.name('silver', table_id)}")
    found = {row.id: row.asDict() for row in rows}
    assert len(found) == len(rows)
    return found


def expected(life: Workload) -> dict[int, dict[str, Any]]:
    active = {key: {**row, "is_active": True, "quality_flags": []} for key, row in life.rows.items()}
    ended = {key: {**row, "is_active": False, "quality_flags": []} for key, row in life.gone.items()}
    return active | ended

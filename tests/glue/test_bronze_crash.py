"""Bronze killed at any point and started again holds exactly what the packs hold: nothing lost, nothing twice."""

from collections.abc import Callable
from typing import Any

import pytest

from lake import Lake
from lakehouse import bronze_commit
from source import Source

COLUMNS = [("id", "int", "number"), ("name", "string", "string")]
POINTS = [
    "bronze.branched",
    "bronze.staged_one",
    "bronze.staged_one:2",
    "bronze.staged",
    "bronze.committed",
    "bronze.published_one",
    "bronze.published_one:3",
]


class Killed(BaseException):
    """Stands for SIGKILL in this process; nothing may catch it."""


def land_all(lake: Lake, source: Source, packs_of: dict[str, list[dict[str, Any]]]) -> None:
    """Lands two packs more of each table, a quarantined record and an overlapping redelivery."""
    for table in ("public.users", "public.orders"):
        topic = source.table(table, COLUMNS, key=["id"])
        topic.next_offset = sum(int(p["to_offset"]) - int(p["from_offset"]) + 1 for p in packs_of.get(table, []))
        for n in range(5):
            topic.insert({"id": n, "name": "a"})
        topic.quarantine()
        packs = topic.packs(size=3)
        lake.land(packs[0])
        lake.land(*packs)
        packs_of.setdefault(table, []).extend(packs)
    lake.land_bytes("public.users", b"rubbish")


def assert_lake_is(lake: Lake, packs_of: dict[str, list[dict[str, Any]]], rubbish: int) -> None:
    """Bronze, quarantine and landed against what the packs hold."""
    for table, packs in packs_of.items():
        expected = [(int(e["offset"]), e["payload"]) for pack in packs for e in pack["events"]]
        rows = lake.rows("bronze", table, ["offset", "payload"], "offset")
        assert [(row.offset, row.payload) for row in rows] == expected
        refs = lake.run().layer_table("bronze", table).refs("BRANCH")
        assert list(refs) == ["main"]
    quarantined = [(t, int(q["offset"])) for t, packs in packs_of.items() for p in packs for q in p["quarantined"]]
    rows = lake.rows("quarantine", columns=["table_id", "offset"])
    assert sorted((r.table_id, r.offset) for r in rows if r.offset is not None) == sorted(quarantined)
    assert sum(r.offset is None for r in rows) == rubbish
    landed = lake.rows("landed", columns=["table_id", "from_offset", "to_offset", "accepted", "src_file"])
    taken = sorted((r.table_id, r.from_offset, r.to_offset) for r in landed if r.accepted)
    assert taken == sorted(
        (t, int(p["from_offset"]), int(p["to_offset"])) for t, packs in packs_of.items() for p in packs if p["events"]
    )
    assert len(landed) == len({(r.src_file, r.from_offset) for r in landed})


def die_at(point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, _, nth = point.partition(":")
    seen: list[str] = []

    def reached(here: str) -> None:
        seen.append(here)
        if seen.count(name) >= int(nth or 1):  # dead from here on, in every thread
            raise Killed(here)

    monkeypatch.setattr(bronze_commit, "reached", reached)


def test_a_run_that_dies_anywhere_is_made_good_by_the_next(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    source, packs_of = Source(), {}
    for number, point in enumerate(POINTS, start=1):
        land_all(lake, source, packs_of)
        with monkeypatch.context() as patch:
            die_at(point, patch)
            with pytest.raises(Killed):
                lake.bronze()
        lake.bronze()
        assert_lake_is(lake, packs_of, rubbish=number)


@pytest.mark.parametrize("point", ["bronze.staged_one:2", "bronze.published_one"])
def test_a_killed_process_loses_and_doubles_nothing(lake: Lake, kill_at: Callable[..., None], point: str) -> None:
    packs_of: dict[str, list[dict[str, Any]]] = {}
    land_all(lake, Source(), packs_of)
    kill_at(lake, "bronze", point)
    lake.bronze()
    assert_lake_is(lake, packs_of, rubbish=1)


def test_a_batch_whose_rows_do_not_add_up_is_not_committed(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    packs_of: dict[str, list[dict[str, Any]]] = {}
    land_all(lake, Source(), packs_of)
    with monkeypatch.context() as patch:
        patch.setattr("lakehouse.bronze._accepted", lambda run, planned: {p.pack.pack_id: (1, 0) for p in planned})
        with pytest.raises(RuntimeError, match="it is not committed"):
            lake.bronze()
    assert lake.rows("landed") == []
    lake.bronze()
    assert_lake_is(lake, packs_of, rubbish=1)

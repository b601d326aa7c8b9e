"""How silver publishes: references, audits, flags, tags, and death at any moment."""

from collections.abc import Callable
from typing import Any

import pytest

from lake import Lake
from lakehouse import faults
from lakehouse.iceberg import consumed
from source import Source
from test_silver import deliver, entry, run_silver, shown

NewLake = Callable[[str | None], Lake]
SHOP = """
project: cdc_demo
epoch: 1
tables:
  sales:
    reference:
      - {table: buyers, on: {buyer: id}, columns: {buyer_name: name, buyer_note: note}}
    checks:
      fail: [{name: amount_not_negative, where: "amount < 0"}]
      warn: [{name: buyer_known, where: "buyer_name IS NULL"}]
  buyers:
    checks:
      fail: [{name: name_present, where: "name = ''"}]
"""
SALES, BUYERS = "public.sales", "public.buyers"


class Shop:
    """Sales that show their buyer's name and note; `color` is a column of buyers that they don't show."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self.source = Source()
        number, text = ("int", "number"), ("string", "string")
        self.sales = self.source.table(SALES, [("id", *number), ("buyer", *number), ("amount", *number)], ["id"])
        self.buyers = self.source.table(
            BUYERS, [("id", *number), ("name", *text), ("note", *text), ("color", *text)], ["id"]
        )

    def sale(self, id: int, buyer: int | None, amount: int = 1) -> dict[str, Any]:
        return {"id": id, "buyer": buyer, "amount": amount}

    def buyer(self, id: int, name: str, note: str | None = None, color: str = "red") -> dict[str, Any]:
        return {"id": id, "name": name, "note": note, "color": color}

    def deliver(self) -> Any:
        return deliver(self.lake, self.sales, self.buyers)

    def shown(self) -> list[tuple[Any, ...]]:
        return shown(self.lake, "id", "buyer", "buyer_name", "_batch", table=SALES)


@pytest.fixture
def shop(new_lake: NewLake) -> Shop:
    shop = Shop(new_lake(SHOP))
    for id, name in ((1, "Ada"), (2, "Grace")):
        shop.buyers.snapshot(shop.buyer(id, name))
    for id, buyer in ((10, 1), (20, 2), (30, 3), (40, None)):
        shop.sales.snapshot(shop.sale(id, buyer))
    return shop


def test_rows_show_their_referenced_rows_and_follow_their_changes(shop: Shop) -> None:
    report = shop.deliver()
    assert shop.shown() == [(10, 1, "Ada", 1), (20, 2, "Grace", 1), (30, 3, None, 1), (40, None, None, 1)]
    assert [(c.name, c.value) for c in entry(report, SALES).checks if not c.passed] == [("buyer_known", 2)]

    shop.buyers.update(shop.buyer(1, "Countess"))
    shop.buyers.insert(shop.buyer(3, "Edsger"))
    shop.sales.update(shop.sale(20, 1))
    report = shop.deliver()
    assert shop.shown() == [(10, 1, "Countess", 2), (20, 1, "Countess", 2), (30, 3, "Edsger", 2), (40, None, None, 1)]
    assert (entry(report, SALES).rows_in, entry(report, SALES).rows_out) == (1, 3)

    shop.buyers.update(shop.buyer(1, "Countess", color="blue"))
    report = shop.deliver()
    assert not entry(report, SALES).published

    shop.buyers.delete(shop.buyer(1, ""))
    shop.sales.delete(shop.sale(20, None))
    shop.deliver()
    assert shop.shown() == [(10, 1, "Countess", 2), (20, 1, "Countess", 4), (30, 3, "Edsger", 2), (40, None, None, 1)]


def test_a_table_that_is_referenced_later_reaches_rows_that_were_there_before(new_lake: NewLake) -> None:
    shop = Shop(new_lake(SHOP))
    shop.sales.snapshot(shop.sale(10, 1))
    report = shop.deliver()
    assert [c.detail for c in entry(report, SALES).checks if c.name == "buyer_known"] == [
        "not looked at: no row of the referenced table has come yet, so there is no buyer_name"
    ]
    assert shown(shop.lake, "id", "buyer", table=SALES) == [(10, 1)]
    shop.buyers.snapshot(shop.buyer(1, "Ada"))
    shop.deliver()
    assert shop.shown() == [(10, 1, "Ada", 2)]


def test_a_reference_that_was_taken_away_and_given_back_starts_anew(shop: Shop) -> None:
    shop.deliver()
    shop.lake.set_tables("project: cdc_demo\nepoch: 1\ntables:\n  sales: {}\n  buyers: {}\n")
    shop.sales.insert(shop.sale(50, 2))
    shop.deliver()
    assert [tag for tag in shop.lake.run().layer_table("silver", BUYERS).refs("TAG") if tag.startswith("ref_")] == []
    assert shop.shown()[-1] == (50, 2, None, 2)
    shop.lake.set_tables(SHOP)
    shop.sales.insert(shop.sale(60, 1))
    shop.deliver()
    assert [row[2] for row in shop.shown()] == ["Ada", "Grace", None, None, "Grace", "Ada"]


def test_a_failed_audit_holds_its_table_as_it_was_and_nothing_else(shop: Shop) -> None:
    shop.deliver()
    shop.buyers.update(shop.buyer(1, ""))
    shop.buyers.update(shop.buyer(2, "Hopper"))
    shop.sales.insert(shop.sale(50, 1))
    report = shop.deliver()
    held = entry(report, BUYERS)
    assert held.held == "public.buyers: failed its audit: name_present: 1 rows, at most 0 allowed"
    assert (held.published, held.snapshot_id) == (False, report.extra["manifest"][BUYERS]["snapshot_id"])
    assert report.extra["manifest"][BUYERS]["batch"] == 1
    assert shown(shop.lake, "id", "name", table=BUYERS) == [(1, "Ada"), (2, "Grace")]
    assert list(shop.lake.run().layer_table("silver", BUYERS).refs("BRANCH")) == ["main"]
    assert shop.shown()[-1] == (50, 1, "Ada", 2)

    shop.buyers.update(shop.buyer(1, "Lovelace"))
    shop.deliver()
    assert shown(shop.lake, "id", "name", table=BUYERS) == [(1, "Lovelace"), (2, "Hopper")]
    assert [row[2] for row in shop.shown()] == ["Lovelace", "Hopper", None, None, "Lovelace"]


def test_what_is_published_twice_at_one_landed_batch_has_a_higher_batch_each_time(shop: Shop) -> None:
    shop.deliver()
    shop.buyers.update(shop.buyer(1, ""))
    shop.sales.insert(shop.sale(50, 1))
    shop.deliver()  # buyers are held, sales are at batch 2
    shop.lake.set_tables(SHOP.replace("name = ''", "name IS NULL"))
    report = run_silver(shop.lake)
    assert [(t.table, t.published, t.batch) for t in report.tables] == [(SALES, True, 3), (BUYERS, True, 2)]
    assert [(row[0], row[3]) for row in shop.shown()] == [(10, 3), (20, 1), (30, 1), (40, 1), (50, 3)]
    shop.sales.update(shop.sale(20, 1))
    report = shop.deliver()
    assert report.extra["manifest"][SALES]["batch"] == 4
    assert max(row[3] for row in shop.shown()) == 4


def test_another_writer_on_main_makes_the_run_apply_its_changes_once_more(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.deliver()
    shop.sales.update(shop.sale(10, 2))
    seen: list[str] = []

    def reached(point: str) -> None:
        seen.append(point)
        if point == "silver.audited" and seen.count(point) == 1:
            shop.lake.sql(f"UPDATE {shop.lake.name('silver', SALES)} SET amount = 77 WHERE id = 40")

    monkeypatch.setattr(faults, "reached", reached)
    report = shop.deliver()
    assert entry(report, SALES).held is None
    assert shown(shop.lake, "id", "amount", "buyer_name", table=SALES)[0] == (10, 1, "Grace")
    assert shown(shop.lake, "id", "amount", table=SALES)[3] == (40, 77)


def test_rows_are_flagged_while_a_quarantined_event_of_their_key_is_open(shop: Shop) -> None:
    shop.deliver()
    shop.buyers.quarantine(key={"id": 2})
    shop.buyers.quarantine(key={"id": 9})
    shop.deliver()
    flags = ["key: open quarantined event"]
    assert shown(shop.lake, "id", "quality_flags", "_batch", table=BUYERS) == [(1, [], 1), (2, flags, 2)]

    shop.buyers.update(shop.buyer(2, "Hopper"))
    shop.buyers.insert(shop.buyer(9, "Nine"))
    shop.deliver()
    assert shown(shop.lake, "id", "quality_flags", table=BUYERS) == [(1, []), (2, flags), (9, flags)]

    quarantine = shop.lake.name("quarantine")
    shop.lake.sql(f"UPDATE {quarantine} SET state = 'dismissed' WHERE key = '{{\"id\":2}}'")
    run_silver(shop.lake)
    assert shown(shop.lake, "id", "quality_flags", table=BUYERS) == [(1, []), (2, []), (9, flags)]


def test_bronze_that_died_before_publishing_holds_silver_back(shop: Shop) -> None:
    shop.deliver()
    shop.sales.insert(shop.sale(50, 1))
    for pack in shop.sales.packs():
        shop.lake.land(pack)
    shop.lake.bronze()
    shop.lake.run().layer_table("bronze", SALES).create_branch("stage_7")
    held = entry(run_silver(shop.lake), SALES).held or ""
    assert "bronze has not published stage_7: run bronze again first" in held
    assert [row[0] for row in shop.shown()] == [10, 20, 30, 40]


class Killed(BaseException):
    """Stands for SIGKILL in this process; nothing may catch it."""


POINTS = [
    "silver.merged",
    "silver.merged:2",
    "silver.audited",
    "silver.audited:2",
    "silver.published_one",
    "silver.published_one:2",
    "silver.tagged_one",
    "silver.tagged_one:2",
]


def die_at(point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, _, nth = point.partition(":")
    seen: list[str] = []

    def reached(here: str) -> None:
        seen.append(here)
        if seen.count(name) >= int(nth or 1):
            raise Killed(here)

    monkeypatch.setattr(faults, "reached", reached)


def change_everything(shop: Shop, turn: int) -> None:
    shop.buyers.update(shop.buyer(1, f"Ada {turn}"))
    shop.buyers.change_key(shop.buyer(2 + 100 * turn, ""), shop.buyer(102 + 100 * turn, "Grace", f"note {turn}"))
    shop.sales.update(shop.sale(20, 102 + 100 * turn, amount=turn))
    shop.sales.insert(shop.sale(1000 + turn, 1))
    shop.sales.delete(shop.sale(999 + turn, None)) if turn else None
    for topic in (shop.sales, shop.buyers):
        for pack in topic.packs():
            shop.lake.land(pack)
    shop.lake.bronze()


def assert_lake_is(shop: Shop, turn: int) -> None:
    last = 102 + 100 * turn
    active = [row[:3] for row in shown(shop.lake, "id", "buyer", "buyer_name", "is_active", table=SALES) if row[3]]
    expected = [(10, 1, f"Ada {turn}"), (20, last, "Grace"), (30, 3, None), (40, None, None)]
    assert active == [*expected, (1000 + turn, 1, f"Ada {turn}")]
    people = shown(shop.lake, "id", "name", "is_active", table=BUYERS)
    assert [row[:2] for row in people if row[2]] == [(1, f"Ada {turn}"), (last, "Grace")]
    for table in (SALES, BUYERS):
        assert list(shop.lake.run().layer_table("silver", table).refs("BRANCH")) == ["main"]
    landed = shop.lake.run().engine_table("landed")
    batch = max(row.batch for row in shop.lake.rows("landed", columns=["batch"]))
    for table in (SALES, BUYERS):
        seen = consumed(landed, f"silver_{table}")
        assert seen is not None
        assert seen.batch == batch
    reference = consumed(shop.lake.run().layer_table("silver", BUYERS), f"ref_{SALES}")
    assert reference is not None
    assert reference.snapshot_id == shop.lake.run().layer_table("silver", BUYERS).snapshot_id()


def test_a_run_that_dies_anywhere_is_made_good_by_the_next(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.deliver()
    for turn, point in enumerate(POINTS):
        change_everything(shop, turn)
        with monkeypatch.context() as patch:
            die_at(point, patch)
            with pytest.raises(Killed):
                run_silver(shop.lake)
        run_silver(shop.lake)
        assert_lake_is(shop, turn)


@pytest.mark.parametrize("point", ["silver.audited:2", "silver.published_one"])
def test_a_killed_process_loses_and_doubles_nothing(shop: Shop, kill_at: Callable[..., None], point: str) -> None:
    shop.deliver()
    change_everything(shop, 0)
    kill_at(shop.lake, "silver", point)
    run_silver(shop.lake)
    assert_lake_is(shop, 0)

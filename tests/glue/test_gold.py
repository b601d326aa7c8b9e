"""Gold keeps up with silver: incremental rows are those of a full run, whatever happens to rows, runs and inputs."""

import itertools
import json
import random
import shutil
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from job import run_layer
from lake import Lake
from lakehouse import gold_rows
from lakehouse.gold_model import ModelError, load_models
from lakehouse.report import Report, TableReport
from silver_tables import SilverTables
from source import Source

MODELS = ("category_performance", "daily_sales", "product_analytics", "user_analytics")
INPUTS = {
    "category_performance": ("products", "orders"),
    "daily_sales": ("orders",),
    "product_analytics": ("products", "orders"),
    "user_analytics": ("users", "orders"),
}
POINTS = ("gold.merged", "gold.claimed_one", "gold.published_one", "gold.tagged_one")
STATUSES = ("pending", "paid", "shipped", "delivered", "cancelled", "returned")


class Killed(BaseException):
    """Stands for SIGKILL in this process; nothing may catch it."""


def user(number: int, **values: Any) -> dict[str, Any]:
    return {"id": number, "name": f"user {number}", "email": f"u{number}@x.org", "country": "DE", **values}


def product(number: int, **values: Any) -> dict[str, Any]:
    return {"id": number, "name": f"product {number}", "price": "5.00", "category": "Books", **values}


def order(number: int, **values: Any) -> dict[str, Any]:
    defaults = {"user_id": 1, "product_id": 1, "quantity": 1, "total_amount": "10.00", "status": "paid"}
    return {"id": number, "created_at": "2026-01-01T12:00:00Z", **defaults, **values}


@pytest.fixture
def silver(lake: Lake) -> SilverTables:
    """Three users, three products of two categories and three orders, a batch."""
    tables = SilverTables(lake)
    tables.write(
        users=[user(n) for n in (1, 2, 3)],
        products=[product(1), product(2), product(3, category="Music")],
        orders=[order(1), order(2, user_id=2, product_id=3), order(3, created_at="2026-01-04T00:00:00Z")],
    )
    return tables


def run_gold(lake: Lake, **changes: Any) -> dict[str, TableReport]:
    """Runs gold; its report by model. No model may be held."""
    report = lake.run_layer("gold", **changes)
    assert {t.table: t.held for t in report.tables if t.held} == {}
    return by_model(report)


def by_model(report: Report) -> dict[str, TableReport]:
    return {t.table: t for t in report.tables}


def all_gold(silver: SilverTables) -> dict[str, list[dict[str, Any]]]:
    return {model: silver.gold(model) for model in MODELS}


def assert_full_run_changes_nothing(lake: Lake, silver: SilverTables) -> None:
    """A full run computes every row from silver; it finds each as it is, stamps included."""
    before = all_gold(silver)
    reports = run_gold(lake, full=True)
    assert all_gold(silver) == before
    assert {m: r.rows_out for m, r in reports.items()} == dict.fromkeys(MODELS, 0)
    assert [c for r in reports.values() for c in r.checks if not c.passed] == []


def assert_no_trace(lake: Lake, silver: SilverTables) -> None:
    """No branch is left, and each model has one tag on each of its inputs."""
    for model in MODELS:
        assert list(lake.run().layer_table("gold", model).refs("BRANCH")) == ["main"]
    for name in ("users", "products", "orders"):
        models = [tag.rpartition("_b")[0] for tag in silver.table(name).refs("TAG")]
        assert sorted(t.split("_b")[0] for t in silver.table(name).refs("TAG")) == sorted(
            f"gold_{m}" for m in MODELS if name in INPUTS[m]
        ), models


class RandomChanges:
    """Changes as a source makes them: new rows, updates of any column, deletions, re-activations."""

    def __init__(self, seed: int, silver: SilverTables) -> None:
        self.random = random.Random(seed)
        self.silver = silver
        self.rows: dict[str, dict[int, dict[str, Any]]] = {"users": {}, "products": {}, "orders": {}}

    def write(self, changes: int) -> None:
        touched: dict[str, dict[int, dict[str, Any]]] = {}
        for _ in range(changes):
            table = self.random.choices(("users", "products", "orders"), (1, 2, 6))[0]
            row = self._new(table) if self.random.random() < 0.4 or not self.rows[table] else self._changed(table)
            self.rows[table][row["id"]] = row
            touched.setdefault(table, {})[row["id"]] = row
        self.silver.write(**{table: list(rows.values()) for table, rows in touched.items()})

    def _new(self, table: str) -> dict[str, Any]:
        number = len(self.rows[table]) + 1
        return {"users": self._user, "products": self._product, "orders": self._order}[table](number)

    def _changed(self, table: str) -> dict[str, Any]:
        row = dict(self.random.choice(list(self.rows[table].values())))
        if self.random.random() < 0.3:
            return {**row, "is_active": not row.get("is_active", True)}
        other = {"users": self._user, "products": self._product, "orders": self._order}[table](row["id"])
        column = self.random.choice(list(other))
        return {**row, column: other[column]}

    def _user(self, number: int) -> dict[str, Any]:
        return user(number, name=self.random.choice("ABC"), country=self.random.choice(("DE", "FR", None)))

    def _product(self, number: int) -> dict[str, Any]:
        return product(number, category=self.random.choice(("Books", "Music", " ", None, "Toys ")))

    def _order(self, number: int) -> dict[str, Any]:
        days = self.random.randrange(40)
        return order(
            number,
            user_id=self.random.randrange(1, 8),
            product_id=self.random.randrange(1, 8),
            quantity=self.random.randrange(4),
            total_amount=self.random.choice((None, Decimal(self.random.randrange(200000)) / 100)),
            status=self.random.choice(STATUSES),
            created_at=f"2026-{1 + days // 28:02}-{1 + days % 28:02}T{self.random.randrange(24):02}:59:59Z",
            notes=self.random.choice("xyz"),
        )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_incremental_rows_are_those_of_a_full_run(lake: Lake, seed: int) -> None:
    silver = SilverTables(lake)
    changes = RandomChanges(seed, silver)
    changes.write(60)
    silver.write(users=[user(1)], products=[product(1)], orders=[order(1)])
    run_gold(lake)
    for size in (3, 12, 40):
        changes.write(size)
        reports = run_gold(lake)
        assert not all(c.name == "revenue_equals_order_revenue" for r in reports.values() for c in r.checks)
        assert_full_run_changes_nothing(lake, silver)
    assert_no_trace(lake, silver)


def test_an_order_that_moves_changes_both_users_and_both_products(lake: Lake, silver: SilverTables) -> None:
    run_gold(lake)
    silver.write(orders=[order(1, user_id=2, product_id=2)])
    reports = run_gold(lake)
    assert reports["user_analytics"].rows_in == 2
    assert [r["total_orders"] for r in silver.gold("user_analytics")] == [1, 2, 0]
    assert [r["total_orders"] for r in silver.gold("product_analytics")] == [1, 1, 1]
    assert_full_run_changes_nothing(lake, silver)


def test_a_product_that_changes_its_category_changes_both(lake: Lake, silver: SilverTables) -> None:
    run_gold(lake)
    silver.write(products=[product(1, category="Music")])
    reports = run_gold(lake)
    assert reports["category_performance"].rows_in == 2
    assert not reports["daily_sales"].published
    totals = [(r["category"], r["total_products"], r["total_orders"]) for r in silver.gold("category_performance")]
    assert totals == [("Books", 1, 0), ("Music", 2, 3)]


def test_rows_whose_rank_or_average_changed_are_updated_and_no_others(lake: Lake, silver: SilverTables) -> None:
    run_gold(lake)
    first = {model: {next(iter(r.values())): r["_batch"] for r in silver.gold(model)} for model in MODELS}
    silver.write(orders=[order(4, product_id=3, total_amount="90.00", created_at="2026-01-03T00:00:00Z")])
    run_gold(lake)
    assert first["product_analytics"] == {1: 1, 2: 1, 3: 1}
    ranks = [(r["product_id"], r["revenue_rank"], r["_batch"]) for r in silver.gold("product_analytics")]
    assert ranks == [(1, 2, 2), (2, 3, 1), (3, 1, 2)]
    days = [(r["order_date"].day, r["daily_revenue"], r["_batch"]) for r in silver.gold("daily_sales")]
    assert days == [(1, Decimal("20.00"), 1), (2, 0, 1), (3, Decimal("90.00"), 2), (4, Decimal("10.00"), 2)]


def test_the_calendar_shrinks_when_its_last_order_goes(lake: Lake, silver: SilverTables) -> None:
    run_gold(lake)
    silver.write(orders=[order(3, created_at="2026-01-04T00:00:00Z", is_active=False)])
    run_gold(lake)
    assert [r["order_date"].day for r in silver.gold("daily_sales")] == [1]
    silver.write(orders=[order(n, is_active=False) for n in (1, 2)])
    run_gold(lake)
    assert silver.gold("daily_sales") == []
    assert_full_run_changes_nothing(lake, silver)


def test_without_changes_that_matter_nothing_is_written(lake: Lake, silver: SilverTables) -> None:
    first = run_gold(lake)
    again = run_gold(lake)
    assert {m: r.published for m, r in again.items()} == dict.fromkeys(MODELS, False)
    silver.write(orders=[order(1, notes="a longer note")], users=[user(1, bio="about me")])
    unread = run_gold(lake)
    assert {m: (r.published, r.rows_in) for m, r in unread.items()} == dict.fromkeys(MODELS, (False, 0))
    newest = {m: str(lake.run().layer_table("gold", m).snapshot_id()) for m in MODELS}
    assert newest == {m: r.snapshot_id for m, r in first.items()}
    assert_no_trace(lake, silver)


def die_at(point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dead: list[str] = []

    def reached(here: str) -> None:
        if dead or here == point:  # dead from here on, in every thread
            dead.append(here)
            raise Killed(here)

    monkeypatch.setattr("lakehouse.faults.reached", reached)


def test_a_run_that_dies_anywhere_is_made_good_though_silver_moved_on(
    lake: Lake, silver: SilverTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_gold(lake)
    for number, point in enumerate(POINTS, start=1):
        # the dead run may have published the order under user 2; nobody but its tags can tell
        silver.write(orders=[order(1, user_id=2, product_id=2, created_at=f"2026-02-0{number}T00:00:00Z")])
        with monkeypatch.context() as patch:
            die_at(point, patch)
            with pytest.raises(Killed):
                lake.run_layer("gold")
        silver.write(orders=[order(1, user_id=3, product_id=3, created_at="2026-01-20T00:00:00Z")])
        run_gold(lake)
        assert_full_run_changes_nothing(lake, silver)
        assert_no_trace(lake, silver)


@pytest.mark.parametrize("point", ["gold.merged", "gold.published_one", "gold.tagged_one"])
def test_a_killed_process_is_made_good(
    lake: Lake, silver: SilverTables, kill_at: Callable[..., None], point: str
) -> None:
    run_gold(lake)
    silver.write(orders=[order(1, user_id=2, product_id=2)])
    kill_at(lake, "gold", point)
    silver.write(orders=[order(1, user_id=3, product_id=3)])
    run_gold(lake)
    assert_full_run_changes_nothing(lake, silver)
    assert_no_trace(lake, silver)


def write_silver_report(lake: Lake, run_id: str, manifest: Mapping[str, Any], held: Mapping[str, str]) -> None:
    tables = [{"table": table, "held": reason} for table, reason in held.items()]
    body = json.dumps({"manifest": manifest, "tables": tables}).encode()
    lake.store.put(f"reports/{run_id}/silver.json", body)


def test_a_held_input_holds_its_models_and_no_others(lake: Lake, silver: SilverTables) -> None:
    run_gold(lake)
    silver.write(orders=[order(9)])
    write_silver_report(lake, "run-held", {}, {"public.products": "failed: price_not_negative"})
    reports = by_model(lake.run_layer("gold", run_id="run-held"))
    assert {m for m, r in reports.items() if r.published} == {"daily_sales", "user_analytics"}
    reason = "public.products is held: failed: price_not_negative"
    assert {r.held for m, r in reports.items() if not r.published} == {reason}
    run_gold(lake)
    assert_full_run_changes_nothing(lake, silver)


def test_gold_reads_the_snapshots_of_the_run_and_not_what_came_after(lake: Lake, silver: SilverTables) -> None:
    manifest = {
        f"public.{name}": {"snapshot_id": str(silver.table(name).snapshot_id()), "batch": 1}
        for name in ("users", "products", "orders")
    }
    silver.write(orders=[order(9, user_id=3)])
    write_silver_report(lake, "run-1st", manifest, {})
    run_gold(lake, run_id="run-1st")
    assert [r["total_orders"] for r in silver.gold("user_analytics")] == [2, 1, 0]
    run_gold(lake)
    assert [r["total_orders"] for r in silver.gold("user_analytics")] == [2, 1, 1]


def test_a_model_waits_for_a_table_that_has_never_had_a_row(lake: Lake) -> None:
    silver = SilverTables(lake)
    silver.write(orders=[order(1)])
    reports = run_gold(lake)
    assert {m for m, r in reports.items() if r.published} == {"daily_sales"}
    (check,) = reports["user_analytics"].checks
    assert (check.name, check.severity, check.passed) == ("inputs_exist", "warn", False)
    silver.write(users=[user(1)], products=[product(1)])
    assert all(r.published for m, r in run_gold(lake).items() if m != "daily_sales")
    assert_full_run_changes_nothing(lake, silver)


def own_sql(lake: Lake) -> Path:
    """Gives the lake a copy of sql/ to change."""
    link = lake.assets / "sql"
    original = link.resolve()
    link.unlink()
    shutil.copytree(original, link)
    return link / "gold"


def test_a_failed_check_leaves_the_published_rows(lake: Lake, silver: SilverTables) -> None:
    run_gold(lake)
    before = silver.gold("daily_sales")
    path = own_sql(lake) / "daily_sales" / "checks.sql"
    good = path.read_text()
    path.write_text(
        good
        + ";\nSELECT 'no_big_day' AS name, 'fail' AS severity, MAX(daily_orders) AS value, 2 AS limit FROM {target}\n"
    )
    silver.write(orders=[order(7)])
    reports = by_model(lake.run_layer("gold"))
    assert reports["daily_sales"].held == "failed: no_big_day"
    assert not reports["daily_sales"].published
    assert [(c.name, c.value, c.limit) for c in reports["daily_sales"].failed_checks()] == [("no_big_day", 3, 2)]
    assert all(reports[m].published for m in MODELS if m != "daily_sales")
    assert silver.gold("daily_sales") == before
    path.write_text(good)
    assert run_gold(lake)["daily_sales"].published
    assert_full_run_changes_nothing(lake, silver)
    assert_no_trace(lake, silver)


def test_changed_sql_computes_every_row_anew(lake: Lake, silver: SilverTables) -> None:
    run_gold(lake)
    path = own_sql(lake) / "user_analytics" / "load.sql"
    path.write_text(path.read_text().replace("total_spent > 0 THEN 'Active'", "total_spent > 0 THEN 'Lively'"))
    reports = run_gold(lake)
    assert [m for m, r in reports.items() if r.published] == ["user_analytics"]
    assert [r["user_segment"] for r in silver.gold("user_analytics")] == ["Lively", "Lively", "New"]


def test_a_model_that_does_not_fit_its_table_says_so_and_holds_itself_alone(lake: Lake, silver: SilverTables) -> None:
    folder = own_sql(lake)
    path = folder / "user_analytics" / "load.sql"
    path.write_text(path.read_text().replace("AS clv_category", "AS lifetime_category"))
    (folder / "daily_sales" / "keys.sql").write_text("SELECT nothing FROM {changed_order}\n")
    reports = by_model(lake.run_layer("gold"))
    assert {m for m, r in reports.items() if r.published} == {"category_performance", "product_analytics"}
    assert "gives columns (lifetime_category)" in str(reports["user_analytics"].held)
    assert "sql/gold/daily_sales/keys.sql: {changed_order} is not known here" in str(reports["daily_sales"].held)


def test_many_delete_files_are_written_away(lake: Lake, silver: SilverTables, monkeypatch: pytest.MonkeyPatch) -> None:
    run_gold(lake)
    silver.write(orders=[order(1, user_id=2)])
    run_gold(lake)
    users = lake.run().layer_table("gold", "user_analytics")
    assert int(users.summary()["total-delete-files"]) > 0
    monkeypatch.setattr(gold_rows, "DELETE_FILES", 1)
    silver.write(orders=[order(1, user_id=3)])
    run_gold(lake)
    assert users.summary()["total-delete-files"] == "0"
    assert_full_run_changes_nothing(lake, silver)


def test_the_view_adds_the_days_since_the_last_order(lake: Lake, silver: SilverTables) -> None:
    run_gold(lake)
    view = lake.name("gold", "user_analytics_today")
    query = f"SELECT user_id, days_since_last_order, DATEDIFF(CURRENT_DATE, last_order_date) AS days FROM {view}"
    rows = sorted(lake.sql(query))
    assert [r.days_since_last_order for r in rows] == [r.days for r in rows]
    assert rows[2].days_since_last_order is None


def test_models_can_be_named(lake: Lake, silver: SilverTables) -> None:
    assert list(run_gold(lake, models=("daily_sales",))) == ["daily_sales"]
    with pytest.raises(
        ModelError, match="no model daily_sale in sql/gold: there are category_performance, daily_sales"
    ):
        lake.run_layer("gold", models=("daily_sale",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("grain: [order_date]\n", "needs grain"),
        ("grain: [order_date]\ninputs: {orders: {key: [id], columns: [user_id]}}\n", "not among its columns"),
    ],
)
def test_a_model_file_that_says_too_little_is_refused(lake: Lake, text: str, message: str) -> None:
    (own_sql(lake) / "daily_sales" / "model.yml").write_text(text)
    with pytest.raises(ModelError, match=message):
        load_models(lake.run().assets)


USERS = [("id", "bigint", "number"), ("name", "string", "string"), ("email", "string", "string")]
USERS += [("country", "string", "string"), ("created_at", "timestamp", "iso-timestamp")]
USERS += [("updated_at", "timestamp", "iso-timestamp")]
PRODUCTS = [("id", "bigint", "number"), ("name", "string", "string"), ("price", "decimal(10,2)", "decimal-string")]
PRODUCTS += [("category", "string", "string"), ("stock", "int", "number"), *USERS[-2:]]
ORDERS = [(c, "bigint", "number") for c in ("id", "user_id", "product_id")]
ORDERS += [("quantity", "int", "number"), ("total_amount", "decimal(10,2)", "decimal-string")]
ORDERS += [("status", "string", "string"), ("notes", "string", "string"), *USERS[-2:]]


def test_gold_follows_the_real_layers_before_it(lake: Lake) -> None:
    source, silver, runs = Source(), SilverTables(lake), itertools.count(1)
    users = source.table("public.users", USERS, ["id"])
    products = source.table("public.products", PRODUCTS, ["id"])
    orders = source.table("public.orders", ORDERS, ["id"])

    def medallion() -> dict[str, dict[str, Any]]:
        for topic in (users, products, orders):
            for pack in topic.packs():
                lake.land(pack)
        run_id = f"all-{next(runs)}"
        for layer in ("bronze", "silver", "gold"):
            run_layer(lake.run(layer, run_id=run_id))
        report = json.loads(lake.store.get(f"reports/{run_id}/gold.json") or b"")
        assert {t["table"]: t["held"] for t in report["tables"] if t["held"]} == {}
        return {t["table"]: t for t in report["tables"]}

    day = {"created_at": "2026-01-01T12:00:00Z", "updated_at": "2026-01-01T12:00:00Z"}
    for n in (1, 2):
        users.snapshot({**user(n), **day})
        products.snapshot({**product(n), "stock": 1, **day})
    for n in (1, 2, 3):
        orders.snapshot({"notes": None, **day, **order(n, user_id=1 + n % 2)})
    medallion()
    assert [(r["total_orders"], r["total_spent"]) for r in silver.gold("user_analytics")] == [(1, 10), (2, 20)]

    users.update({**user(1, name="renamed"), **day})
    orders.change_key({"id": 1}, {"notes": None, **day, **order(7, user_id=1)})
    orders.delete({"id": 2})
    products.update({**product(2, category="Music"), "stock": 1, **day})
    reports = medallion()
    rows = [(r["user_name"], r["total_orders"]) for r in silver.gold("user_analytics")]
    assert rows == [("renamed", 1), ("user 2", 1)]
    assert [(r["category"], r["total_orders"]) for r in silver.gold("category_performance")] == [
        ("Books", 2),
        ("Music", 0),
    ]
    assert reports["daily_sales"]["published"]
    assert_full_run_changes_nothing(lake, silver)

    orders.truncate()
    medallion()
    assert silver.gold("daily_sales") == []
    assert [r["user_segment"] for r in silver.gold("user_analytics")] == ["New", "New"]
    assert_full_run_changes_nothing(lake, silver)
    assert not any(r["published"] for r in medallion().values())

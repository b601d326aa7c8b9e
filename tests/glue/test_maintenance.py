"""Maintenance changes how tables are stored and nothing else: no row, no tag, no state within the retention."""

import json
import os
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from job import run_layer
from lake import Lake
from lakehouse import maintenance, upkeep
from lakehouse.iceberg import IcebergTable, table_properties
from lakehouse.names import CATALOG, quoted
from lakehouse.report import Report, TableReport, Upkeep, read_report
from source import Source
from test_gold import ORDERS, PRODUCTS, USERS, order, product, user
from test_silver_workload import expected, run_silver, shown
from workload import Workload

LAYERS = ("bronze", "silver", "gold")
DAY = {"created_at": "2026-01-01T12:00:00Z", "updated_at": "2026-01-01T12:00:00Z"}
ROWS = 400
FILES = 8


def maintain(lake: Lake, at: datetime | None = None, **changes: Any) -> dict[str, TableReport]:
    """Runs maintenance as if it were `at`; what it did by table. No step may fail."""
    report = maintenance_report(lake, at, **changes)
    assert [(t.table, c.detail) for t in report.tables for c in t.failed_checks()] == []
    return {t.table: t for t in report.tables}


def maintenance_report(lake: Lake, at: datetime | None = None, **changes: Any) -> Report:
    run = lake.run("maintenance", **changes)
    run = replace(run, started_at=at or run.started_at)
    report = run.new_report()
    maintenance.run(run, report)
    return report


def later(days: float) -> datetime:
    return datetime.now(timezone.utc) + timedelta(days=days)


def done(entry: TableReport) -> Upkeep:
    assert entry.upkeep is not None
    return entry.upkeep


def tables(lake: Lake) -> list[IcebergTable]:
    run = lake.run()
    rows = lake.sql(f"SHOW TABLES IN {CATALOG}.{quoted(run.names.database)}")
    return [run.table(row.tableName) for row in rows]


def rows_of(lake: Lake, at: str) -> list[str]:
    return sorted(row.r for row in lake.sql(f"SELECT to_json(struct(*)) AS r FROM {at}"))


def content(lake: Lake, part: str = "") -> dict[str, list[str]]:
    """Every row of every table whose name holds `part`."""
    return {table.bare: rows_of(lake, table.name) for table in tables(lake) if part in table.bare}


def tagged(lake: Lake) -> dict[tuple[str, str], list[str]]:
    """Every row of every table at every tag."""
    return {
        (table.bare, tag): rows_of(lake, f"{table.name} VERSION AS OF {snapshot}")
        for table in tables(lake)
        for tag, snapshot in table.refs("TAG").items()
    }


def snapshots(table: IcebergTable) -> list[tuple[int, datetime]]:
    """Ids and times, oldest first."""
    listed = (
        f"SELECT snapshot_id, unix_millis(committed_at) AS millis FROM {table.name}.snapshots ORDER BY committed_at"
    )
    rows = table.spark.sql(listed).collect()
    return [(row.snapshot_id, datetime.fromtimestamp(row.millis / 1000, timezone.utc)) for row in rows]


def files(table: IcebergTable, what: str) -> int:
    return int(table.summary().get(f"total-{what}-files", "0"))


def folder_of(table: IcebergTable) -> Path:
    return Path(str(table.java().location()).removeprefix("file:"))


class Numbers:
    """A lake of three tables, each written in as many small files as there were writes."""

    def __init__(self, lake: Lake) -> None:
        run = lake.run()
        self.lake = lake
        self.silver = run.layer_table("silver", "public.numbers")
        self.bronze = run.layer_table("bronze", "public.numbers")
        self.landed = run.engine_table("landed")
        lake.sql(f"CREATE NAMESPACE IF NOT EXISTS {CATALOG}.{quoted(run.names.database)}")
        columns = "(id BIGINT, n BIGINT, day TIMESTAMP) USING iceberg"
        properties = f"TBLPROPERTIES ({table_properties()})"
        lake.sql(f"CREATE TABLE {self.silver.name} {columns} {properties}")
        self.silver.set_properties({"lakehouse.key": json.dumps(["id"])})
        lake.sql(f"CREATE TABLE {self.bronze.name} {columns} PARTITIONED BY (days(day)) {properties}")
        lake.sql(f"CREATE TABLE {self.landed.name} {columns} {properties}")
        share = ROWS // FILES
        for start in range(0, ROWS, share):
            # every file holds keys from all over, as a few changes of a large table do
            values = f"id * {FILES} + {start // share} AS id, 0 AS n, TIMESTAMP '2026-01-01' AS day"
            lake.sql(f"INSERT INTO {self.silver.name} SELECT /*+ COALESCE(1) */ {values} FROM range({share})")
        for day in (1, 2):
            for _ in range(FILES - day):
                lake.sql(f"INSERT INTO {self.bronze.name} VALUES (1, 1, TIMESTAMP '2026-01-0{day}')")
        lake.sql(f"INSERT INTO {self.landed.name} VALUES (1, 1, NULL)")
        lake.sql(f"INSERT INTO {self.landed.name} VALUES (2, 1, NULL)")

    def delete_some(self) -> None:
        """A fifth of the rows of every file of silver, by delete files."""
        self.lake.sql(f"UPDATE {self.silver.name} SET n = n + 1 WHERE id % 5 = 0")


@pytest.fixture
def numbers(lake: Lake) -> Numbers:
    return Numbers(lake)


def test_small_files_are_joined_in_the_keys_order_and_deleted_rows_leave(numbers: Numbers) -> None:
    lake, silver = numbers.lake, numbers.silver
    numbers.delete_some()
    assert files(silver, "data") > FILES and files(silver, "delete") >= FILES
    before = content(lake)

    reports = maintain(lake)

    assert content(lake) == before
    assert (files(silver, "data"), files(silver, "delete")) == (1, 0)
    assert [row.id for row in lake.spark.table(silver.name).collect()] == list(range(ROWS))
    assert done(reports[silver.bare]).files_joined > FILES
    assert reports[silver.bare].total_rows == ROWS
    assert files(numbers.bronze, "data") == 2, "one file a day"
    assert files(numbers.landed, "data") == 2, "two files are too few"


def test_a_few_deleted_rows_cost_no_rewriting_of_a_large_file(numbers: Numbers) -> None:
    lake, silver = numbers.lake, numbers.silver
    maintain(lake)
    [before] = lake.sql(f"SELECT file_path FROM {silver.name}.data_files")
    for key in range(0, 24, 4):
        lake.sql(f"DELETE FROM {silver.name} WHERE id = {key}")
    maintain(lake)
    assert before.file_path in {row.file_path for row in lake.sql(f"SELECT file_path FROM {silver.name}.data_files")}
    assert files(silver, "delete") == 1
    lake.sql(f"DELETE FROM {silver.name} WHERE id < 60")
    reports = maintain(lake)
    assert files(silver, "delete") == 0 and reports[silver.bare].total_rows == ROWS - 60


def test_properties_of_the_last_snapshot_are_carried_on(numbers: Numbers) -> None:
    bronze = numbers.bronze
    rows = numbers.lake.spark.table(bronze.name).limit(1)
    rows.writeTo(bronze.name).option("snapshot-property.cdc.high-water-lsn", "4711").append()
    maintain(numbers.lake)
    assert files(bronze, "data") == 2
    assert bronze.summary()["cdc.high-water-lsn"] == "4711"


def test_time_travel_reaches_as_far_back_as_the_retention(numbers: Numbers) -> None:
    lake, silver = numbers.lake, numbers.silver
    states = snapshots(silver)
    oldest_kept = states[FILES // 2][1]
    within = {id: rows_of(lake, f"{silver.name} VERSION AS OF {id}") for id, at in states if at >= oldest_kept}
    beyond = {id for id, at in states if at < oldest_kept}
    reports = maintain(lake, at=oldest_kept + timedelta(days=3), retention_days=3)
    assert {id: rows_of(lake, f"{silver.name} VERSION AS OF {id}") for id in within} == within
    assert not beyond & {id for id, _ in snapshots(silver)}
    assert done(reports[silver.bare]).snapshots_expired == len(beyond) > 0


def test_tags_and_branches_outlive_the_retention(numbers: Numbers) -> None:
    lake, silver = numbers.lake, numbers.silver
    first = snapshots(silver)[0][0]
    silver.tag("gold_model_b1_1", first)
    silver.create_branch("audit_7")
    lake.sql(f"INSERT INTO {silver.on('audit_7')} VALUES (-1, 0, NULL)")
    tags, branch = tagged(lake), rows_of(lake, silver.on("audit_7"))
    for _ in range(2):
        maintain(lake, at=later(400))
        assert tagged(lake) == tags and len(tags[silver.bare, "gold_model_b1_1"]) == ROWS // FILES
        assert rows_of(lake, silver.on("audit_7")) == branch
    assert {id for id, _ in snapshots(silver)} == {first, silver.snapshot_id(), silver.snapshot_id("audit_7")}


def test_files_of_expired_snapshots_are_deleted(numbers: Numbers) -> None:
    silver = numbers.silver
    maintain(numbers.lake, at=later(400))
    assert len(list((folder_of(silver) / "data").glob("*.parquet"))) == 1


def test_the_engines_own_tables_keep_a_day(numbers: Numbers) -> None:
    reports = maintain(numbers.lake, at=later(2), retention_days=7)
    assert done(reports[numbers.landed.bare]).snapshots_expired == 1
    assert done(reports[numbers.bronze.bare]).snapshots_expired == 0


def test_tables_that_need_nothing_are_left_alone(numbers: Numbers) -> None:
    maintain(numbers.lake)
    before = {table.bare: snapshots(table) for table in tables(numbers.lake)}
    reports = maintain(numbers.lake)
    assert {table.bare: snapshots(table) for table in tables(numbers.lake)} == before
    assert {done(entry) == Upkeep() for entry in reports.values()} == {True}


def test_orphans_go_when_they_are_old_enough(numbers: Numbers) -> None:
    folder = folder_of(numbers.silver) / "data"
    now = datetime.now(timezone.utc).timestamp()
    for name, days in (("old.parquet", 3.1), ("young.parquet", 2.9)):
        (folder / name).write_bytes(b"left by a writer that died")
        os.utime(folder / name, (now - days * 86400, now - days * 86400))
    before = content(numbers.lake)
    reports = maintain(numbers.lake)
    assert sum(done(entry).orphans_deleted for entry in reports.values()) == 1
    assert not (folder / "old.parquet").exists() and (folder / "young.parquet").exists()
    assert content(numbers.lake) == before


def test_manifests_are_joined_when_there_are_many(numbers: Numbers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "MIN_INPUT_FILES", 1000)
    monkeypatch.setattr(upkeep, "MANY_MANIFESTS", 3)
    silver, before = numbers.silver, content(numbers.lake)
    reports = maintain(numbers.lake)
    assert done(reports[silver.bare]).manifests_joined >= 3
    java = silver.java()
    assert java.currentSnapshot().allManifests(java.io()).size() == 1
    assert content(numbers.lake) == before


def test_a_table_that_fails_stops_no_other(numbers: Numbers, monkeypatch: pytest.MonkeyPatch) -> None:
    real, broken = maintenance.compact, numbers.bronze.bare

    def compact(table: IcebergTable, work: Upkeep) -> None:
        if table.bare == broken:
            raise OSError("a file is gone")
        real(table, work)

    monkeypatch.setattr(maintenance, "compact", compact)
    report = maintenance_report(numbers.lake)
    failed = [(t.table, c.name, c.detail) for t in report.tables for c in t.failed_checks()]
    assert failed == [(broken, "compaction", "OSError: a file is gone")]
    assert [t.table for t in report.tables if not t.published] == [broken]
    assert files(numbers.silver, "data") == 1


def test_tables_without_time_wait_and_those_with_most_files_come_first(numbers: Numbers) -> None:
    report = maintenance_report(numbers.lake, budget_minutes=1e-9)
    assert not any(t.published or done(t) != Upkeep() for t in report.tables)
    [check] = report.checks
    assert (check.name, check.severity, check.value, check.passed) == ("tables_left", "warn", 3, False)
    assert [t.table for t in report.tables] == [numbers.bronze.bare, numbers.silver.bare, numbers.landed.bare]


def test_the_job_writes_a_report_that_a_gate_can_judge(numbers: Numbers) -> None:
    run_layer(numbers.lake.run("maintenance", run_id="upkeep-1"))
    report = read_report(numbers.lake.store, "upkeep-1", "maintenance")
    assert report and (report["layer"], report["status"]) == ("maintenance", "ok")
    [entry] = [t for t in report["tables"] if t["table"] == numbers.silver.bare]
    assert entry["published"] and entry["held"] is None and entry["checks"] == []
    assert (entry["upkeep"]["files_joined"], entry["upkeep"]["files_made"]) == (FILES, 1)


def test_an_empty_lake_has_nothing_to_keep(lake: Lake) -> None:
    assert maintain(lake) == {}


def test_a_killed_process_loses_nothing(numbers: Numbers, kill_at: Callable[..., None]) -> None:
    numbers.delete_some()
    before = content(numbers.lake)
    kill_at(numbers.lake, "maintenance", "maintenance.compaction:2")
    assert content(numbers.lake) == before
    maintain(numbers.lake)
    assert content(numbers.lake) == before and files(numbers.silver, "data") == 1


def test_rows_changed_in_the_middle_of_compaction_are_never_lost(
    numbers: Numbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock keeps writers away; should one come nevertheless, Iceberg refuses the later of two commits."""
    real, races, changed = upkeep._in_key_order, iter([True]), threading.Event()
    written: list[int] = []

    def write_until(ended: threading.Event) -> None:
        while not ended.is_set():
            try:
                numbers.delete_some()
                written.append(1)
            except Exception as error:
                assert refused(str(error)), error
            changed.set()

    class Raced:
        """The action; a writer commits on and on while it runs for the first time."""

        def __init__(self, action: Any) -> None:
            self.action = action

        def execute(self) -> Any:
            if not next(races, False):
                return self.action.execute()
            ended = threading.Event()
            writer = threading.Thread(target=write_until, args=[ended])
            writer.start()
            try:
                return self.action.execute()
            finally:
                changed.wait(60)
                ended.set()
                writer.join(60)

    monkeypatch.setattr(upkeep, "_in_key_order", lambda *a: Raced(real(*a)))
    report = maintenance_report(numbers.lake)
    expected = {n: len(written) if n % 5 == 0 else 0 for n in range(ROWS)}
    assert written and numbers_in(numbers) == expected
    for check in (c for t in report.tables for c in t.failed_checks()):
        assert refused(check.detail or ""), check.detail  # as a whole: the next run does it
    maintain(numbers.lake)
    assert numbers_in(numbers) == expected and files(numbers.silver, "data") == 1


def refused(error: str) -> bool:
    """How Iceberg says that somebody else was faster."""
    return any(words in error for words in ("annot commit", "onflict", "Missing required files", "new delete"))


def numbers_in(numbers: Numbers) -> dict[int, int]:
    return {row.id: row.n for row in numbers.lake.sql(f"SELECT id, n FROM {numbers.silver.name}")}


def test_a_compaction_that_meets_a_commit_is_done_again(numbers: Numbers, monkeypatch: pytest.MonkeyPatch) -> None:
    real, meets = upkeep._in_key_order, iter([True])

    class Met:
        def __init__(self, action: Any) -> None:
            self.action = action

        def execute(self) -> Any:
            if next(meets, False):
                raise RuntimeError("Cannot commit, found new delete for replaced data file")
            return self.action.execute()

    monkeypatch.setattr(upkeep, "_in_key_order", lambda *a: Met(real(*a)))
    maintain(numbers.lake)
    assert files(numbers.silver, "data") == 1


def test_layers_go_on_beside_it_as_if_nothing_had_been(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "MIN_INPUT_FILES", 2)
    shop = Shop(lake)
    shop.change()
    before, tags = content(lake), tagged(lake)
    maintain(lake)
    assert content(lake) == before and tagged(lake) == tags and tags

    again = shop.medallion()  # gold must not take joined files for changes
    assert {model: report["rows_out"] for model, report in again.items()} == dict.fromkeys(again, 0)
    maintain(lake, at=later(30))
    shop.change()
    maintain(lake, at=later(30))
    assert len(lake.rows("silver", "public.orders")) == 4 + 2 * shop.rounds
    incremental = content(lake, "_gold_")
    lake.run_layer("gold", full=True)
    assert content(lake, "_gold_") == incremental


class Shop:
    """The sample tables, taken through all layers."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        source = Source()
        self.users = source.table("public.users", USERS, ["id"])
        self.products = source.table("public.products", PRODUCTS, ["id"])
        self.orders = source.table("public.orders", ORDERS, ["id"])
        self.rounds = 0
        for n in (1, 2):
            self.users.snapshot({**user(n), **DAY})
            self.products.snapshot({**product(n), "stock": 1, **DAY})
        for n in range(1, 5):
            self.orders.snapshot({"notes": None, **DAY, **order(n, user_id=1 + n % 2)})
        self.medallion()

    def change(self) -> None:
        """New orders, changed ones, a deleted one, a user's new name."""
        self.rounds += 1
        first = 100 * self.rounds
        for n in (first, first + 1):
            self.orders.insert({"notes": None, **DAY, **order(n)})
        self.orders.update({"notes": f"round {self.rounds}", **DAY, **order(1, user_id=2, status="shipped")})
        self.orders.delete({"id": first})
        self.users.update({**user(1, name=f"renamed {self.rounds}"), **DAY})
        self.medallion()

    def medallion(self) -> dict[str, dict[str, Any]]:
        """Runs the layers on what the source has sent; gold's report by model. Nothing may be held."""
        for topic in (self.users, self.products, self.orders):
            for pack in topic.packs():
                self.lake.land(pack)
        run_id, reports = f"run-{random.getrandbits(32)}", []
        for layer in LAYERS:
            run_layer(self.lake.run(layer, run_id=run_id))
            reports.append(json.loads(self.lake.store.get(f"reports/{run_id}/{layer}.json") or b""))
        assert [(t["table"], t["held"]) for r in reports for t in r["tables"] if t["held"]] == []
        return {t["table"]: t for t in reports[-1]["tables"]}


def test_silver_equals_the_source_with_maintenance_at_any_time(
    new_lake: Callable[[str | None], Lake], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "MIN_INPUT_FILES", 2)
    lake = new_lake("project: cdc_demo\nepoch: 1\ntables:\n  things: {}\n")
    life, chance, turns = Workload(7, "public.things"), random.Random(7), 3
    for turn in range(turns):
        for _ in range(chance.randint(4, 12)):
            life.step()
        if turn == turns - 1:
            life.settle()
        for pack in life.packs():
            lake.land(pack)
        lake.bronze()
        maintain(lake, at=later(30))
        run_silver(lake)
        maintain(lake, at=later(30))
    assert shown(lake, "public.things") == expected(life)

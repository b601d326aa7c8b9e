import json
import sys
from types import ModuleType
from typing import Any

import boto3
import pytest
from moto import mock_aws

import job
from lake import Lake
from lakehouse.report import Check, Report, TableReport, read_report, write_report
from lakehouse.run import parse_arguments
from lakehouse.storage import S3Store, open_assets

GIVEN = {
    "layer": "gold",
    "run_id": "r 1",
    "project": "cdc_demo",
    "stage": "dev",
    "bucket": "b",
    "lake_root": "s3://b/",
    "assets": "s3://b/assets/abc",
}


def argv(**changes: str) -> list[str]:
    return ["job.py", *(word for name, value in {**GIVEN, **changes}.items() for word in (f"--{name}", value))]


def test_arguments_are_typed_and_what_glue_adds_is_ignored() -> None:
    parsed = parse_arguments([*argv(models="a, b,", full="true"), "--job-bookmark-option", "x", "--TempDir", "s3://t"])
    assert (parsed.layer, parsed.lake_root, parsed.models, parsed.tables) == (
        "gold",
        "s3://b",
        ("a", "b"),
        (),
    )
    assert parsed.full and not parse_arguments(argv(full="false")).full


def test_glues_own_reader_of_arguments_is_used_where_it_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def get_resolved_options(args: list[str], options: list[str]) -> dict[str, Any]:
        asked.extend(options)
        return {name: args[args.index(f"--{name}") + 1] for name in options}

    utils = ModuleType("awsglue.utils")
    utils.__dict__["getResolvedOptions"] = get_resolved_options
    monkeypatch.setitem(sys.modules, "awsglue", ModuleType("awsglue"))
    monkeypatch.setitem(sys.modules, "awsglue.utils", utils)
    assert parse_arguments(argv(tables="orders")).tables == ("orders",)
    assert asked == [*GIVEN, "tables"]


def test_wrong_arguments_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="--layer is 'iron': use bronze, silver, gold or maintenance"):
        parse_arguments(argv(layer="iron"))
    with pytest.raises(SystemExit):
        parse_arguments(argv()[:-2])
    assert "--assets" in capsys.readouterr().err


def test_maintenance_takes_its_limits_and_refuses_what_is_no_number() -> None:
    asked = parse_arguments(argv(layer="maintenance", retention_days="0.5", budget_minutes="10"))
    assert (asked.retention_days, asked.budget_minutes) == (0.5, 10)
    assert parse_arguments(argv(layer="maintenance")).retention_days == 7
    for wrong in ("0", "-1", "a week", "nan"):
        with pytest.raises(ValueError, match=r"--retention_days is .*: use a number above 0"):
            parse_arguments(argv(layer="maintenance", retention_days=wrong))


def test_a_layer_that_breaks_leaves_its_report_and_raises(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.bronze.recover", lambda run: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        job.run_layer(lake.run("bronze", run_id="broken"))
    report = read_report(lake.store, "broken", "bronze")
    assert report and (report["status"], report["error"]) == ("failed", "ZeroDivisionError: division by zero")


def test_a_report_reads_as_the_contract_says(lake: Lake) -> None:
    run = lake.run("silver", run_id="r1")
    report: Report = run.new_report()
    report.tables.append(
        TableReport("public.users", "t", checks=[Check("a", "fail", 1, 0, "why"), Check("b", "warn", 0, 0)])
    )
    write_report(lake.store, report)
    written = read_report(lake.store, "r1", "silver")
    latest = lake.store.get("reports/latest/silver.json")
    assert written and latest and json.loads(latest) == written
    assert (written["report"], written["layer"], written["status"], written["error"]) == (1, "silver", "ok", None)
    assert [check["passed"] for check in written["tables"][0]["checks"]] == [False, True]
    assert [check.name for check in report.tables[0].failed_checks()] == ["a"]
    assert read_report(lake.store, "r1", "gold") is None


@mock_aws
def test_objects_and_assets_are_read_from_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    boto3.client("s3").create_bucket(Bucket="lake")
    store = S3Store("lake")
    for key in (
        "assets/1/sql/gold/m/load.sql",
        "assets/1/sql/silver/a.sql",
        "assets/1/tables.yml",
        "assets/10/tables.yml",
    ):
        store.put(key, key.encode())
    assert store.get("none") is None
    assert [(o.key, o.size) for o in store.list("assets/1", start_after="assets/1/sql/silver/a.sql")] == [
        ("assets/1/tables.yml", 19),
        ("assets/10/tables.yml", 20),
    ]
    assets = open_assets("s3://lake/assets/1/")
    assert assets.list("sql/gold") == ["sql/gold/m/load.sql"]
    assert assets.text("tables.yml") == assets.text("tables.yml") == "assets/1/tables.yml"
    with pytest.raises(FileNotFoundError, match=r"^s3://lake/assets/1/sql/none\.sql$"):
        assets.text("sql/none.sql")


def test_a_folder_is_named_by_path_or_by_uri(lake: Lake) -> None:
    for name in (str(lake.assets), lake.assets.as_uri()):
        assert "tables:" in open_assets(name).text("tables.yml")

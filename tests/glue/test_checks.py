from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lakehouse.checks import BrokenRuleError, file_checks, rule_checks
from lakehouse.registry import Rule
from lakehouse.storage import FolderAssets


def test_rules_count_active_rows_that_match_and_built_in_counts_all(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1, True), (-1, True), (-2, False), (None, True)], "n INT, is_active BOOLEAN")
    rules = [Rule("not_negative", "fail", "n < 0"), Rule("present", "warn", "n IS NULL", max=1)]
    checks = rule_checks(rows, rules, {"doubled": "count(*) - 4"})
    assert [(c.name, c.severity, c.value, c.limit, c.passed) for c in checks] == [
        ("doubled", "fail", 0, 0, True),
        ("not_negative", "fail", 1, 0, False),
        ("present", "warn", 1, 1, True),
    ]
    assert rule_checks(rows, []) == []


def test_a_rule_that_is_not_sql_over_the_table_names_itself(spark: SparkSession) -> None:
    with pytest.raises(BrokenRuleError, match=r"check wrong: its where .*'missing_column > 0'"):
        rule_checks(spark.range(1).toDF("n"), [Rule("wrong", "fail", "missing_column > 0")])


def test_a_file_of_checks_answers_one_check_a_statement(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "checks.sql").write_text(
        "-- two checks\nSELECT 'a' AS name, 'fail' AS severity, COUNT(*) AS value, 0 AS limit FROM {target};\n"
        "SELECT 'b' AS name, 'warn' AS severity, SUM(id) AS value, :most AS limit FROM {target};"
    )
    spark.range(3).createOrReplaceTempView("checked_rows")
    assets = FolderAssets(tmp_path)
    checks = file_checks(spark, assets, "checks.sql", {"target": "checked_rows"}, {"most": 5})
    assert [(c.name, c.severity, c.value, c.limit, c.passed) for c in checks] == [
        ("a", "fail", 3, 0, False),
        ("b", "warn", 3, 5, True),
    ]


def test_a_broken_file_of_checks_names_itself(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "checks.sql").write_text("SELECT 'a' AS name, 'fatal' AS severity, 1 AS value, 0 AS limit")
    with pytest.raises(ValueError, match=r"checks\.sql: the severity of a must be fail or warn"):
        file_checks(spark, FolderAssets(tmp_path), "checks.sql", {})
    (tmp_path / "checks.sql").write_text("SELECT 1 AS name FROM nowhere")
    with pytest.raises(BrokenRuleError, match=r"checks\.sql: "):
        file_checks(spark, FolderAssets(tmp_path), "checks.sql", {})

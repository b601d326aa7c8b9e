"""Checks: declared rules over the rows that a run touched, and check files over a whole model."""

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import expr

from lakehouse.registry import Rule
from lakehouse.report import Check
from lakehouse.sqlfile import Assets, render, statements


class BrokenRuleError(Exception):
    """A rule of tables.yml or a check file that Spark can't run; the message names it."""


def rule_checks(rows: DataFrame, rules: Sequence[Rule], counts: Mapping[str, str] | None = None) -> list[Check]:
    """How many of `rows` match each rule's `where`, in one pass.

    `counts` adds built-in checks of severity fail and limit 0: name -> SQL aggregate over all rows. A rule of the
    registry looks at active rows alone, where `rows` has the column is_active.
    Raises BrokenRuleError that names the rule and Spark's reason.
    """
    active = "is_active AND " if "is_active" in rows.columns else ""
    aggregates: list[Any] = [expr(sql).alias(name) for name, sql in (counts or {}).items()]
    for rule in rules:
        column = expr(f"count_if({active}({rule.where}))").alias(rule.name)
        try:
            rows.select(column)
        except Exception as error:
            raise BrokenRuleError(
                f"check {rule.name}: its where is not SQL over this table: {rule.where!r}: {_first_line(error)}"
            ) from error
        aggregates.append(column)
    if not aggregates:
        return []
    values = rows.agg(*aggregates).collect()[0]
    built_in = [Check(name, "fail", values[name] or 0, 0) for name in counts or {}]
    return built_in + [Check(rule.name, rule.severity, values[rule.name], rule.max, rule.where) for rule in rules]


def file_checks(
    spark: SparkSession,
    assets: Assets,
    path: str,
    identifiers: Mapping[str, str],
    values: Mapping[str, Any] | None = None,
) -> list[Check]:
    """The checks of a file: each statement is a SELECT of one row (name, severity, value, limit), all run as one query.

    Raises BrokenRuleError that names the file, ValueError when a severity is neither fail nor warn.
    """
    parts = statements(render(assets.text(path), identifiers, path))
    columns = "`name`, `severity`, CAST(`value` AS DOUBLE) AS `value`, CAST(`limit` AS DOUBLE) AS `limit`"
    query = "\nUNION ALL\n".join(f"SELECT {columns} FROM (\n{part}\n)" for part in parts)
    try:
        rows = (spark.sql(query, args=dict(values)) if values else spark.sql(query)).collect()
    except Exception as error:
        raise BrokenRuleError(f"{path}: {_first_line(error)}") from error
    wrong = [row["name"] for row in rows if row["severity"] not in ("fail", "warn")]
    if wrong:
        raise ValueError(f"{path}: the severity of {', '.join(wrong)} must be fail or warn")
    return [Check(row["name"], row["severity"], row["value"] or 0, row["limit"]) for row in rows]


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]

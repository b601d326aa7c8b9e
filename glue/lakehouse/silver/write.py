"""Writes prepared rows on a branch: new keys as an append, known ones as a merge, a TRUNCATE over what is older."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame

from lakehouse import position
from lakehouse.names import literal, quoted
from lakehouse.report import utc_text
from lakehouse.run import Run
from lakehouse.silver.events import Truncation, key_range, range_limits, ranged
from lakehouse.silver.resolve import Key
from lakehouse.silver.target import Branch

RANGE_SORT = 200_000
"""New rows from which on all files are written in the key's order, so that later runs read few of them."""


@dataclass(frozen=True)
class Summary:
    """What there is to write. `ranges` bound the keys that silver has already."""

    rows: int
    new: int
    null_keys: int
    applied: int  # events that the rows stand for
    ranges: Sequence[tuple[Any, Any] | None]


def summarize(rows: DataFrame, key: Key) -> Summary:
    """One pass over the rows, which fills their cache."""
    columns = [quoted(c) for c in key.columns]
    aggregates = {
        "total": "count(*)",
        "fresh": "count_if(NOT __exists)",
        "nulls": f"count_if({' OR '.join(f'{c} IS NULL' for c in columns)})",
        "applied": "coalesce(sum(__applied), 0)",
    }
    for i in ranged(key.types):
        aggregates |= {f"low{i}": f"min({columns[i]})", f"high{i}": f"max({columns[i]})"}
    row = rows.selectExpr(*[f"{sql} AS {name}" for name, sql in aggregates.items()]).collect()[0]
    return Summary(row.total, row.fresh, row.nulls, row.applied, range_limits(row, key.types))


def write_rows(branch: Branch, key: Key, rows: DataFrame, summary: Summary) -> None:
    """Writes whole rows: an append when all keys are new, else a merge by key."""
    if not summary.rows:
        return
    columns = [name for name in branch.columns() if name in set(rows.columns)]
    if summary.new == summary.rows:
        _append(branch, key, rows, summary, columns)
        return
    on = f"{key.equals('t', 's')} AND {key_range('t', key.columns, summary.ranges)}"
    update = f"WHEN MATCHED THEN UPDATE SET {_assignments(c for c in columns if c not in key.columns)}"
    insert = f"WHEN NOT MATCHED THEN INSERT ({_names(columns)}) VALUES ({_names(columns, 's.')})"
    branch.write(
        f"MERGE INTO {branch.sql} AS t USING {{rows}} AS s ON {on} {update} {insert if summary.new else ''}", rows
    )


def _append(branch: Branch, key: Key, rows: DataFrame, summary: Summary, columns: Sequence[str]) -> None:
    keys = [quoted(c) for c in key.columns]
    rows = rows.repartitionByRange(*keys) if summary.rows >= RANGE_SORT else rows
    branch.append(rows.sortWithinPartitions(*keys), columns)


def end_older_rows(run: Run, branch: Branch, truncations: Iterable[Truncation], stamp: int) -> None:
    """Ends every active row that is older than a TRUNCATE; its first one stamps it."""
    moments = sorted(truncations)
    old = position.of_row("")

    def first(value: str) -> str:
        cases = " ".join(f"WHEN {old} < {t.position.sql()} THEN {_of(t, value)}" for t in moments)
        return f"CASE {cases} END"

    fields = {
        "is_active": "false",
        "deleted_at": first("at"),
        "source_updated_at": first("at"),
        "processed_at": f"TIMESTAMP {literal(utc_text(run.started_at))}",
        "_epoch": first("epoch"),
        "_commit_lsn": first("commit_lsn"),
        "_lsn": first("lsn"),
        "_tx_order": first("tx_order"),
        "_batch": str(stamp),
    }
    assigned = ", ".join(f"{name} = {sql}" for name, sql in fields.items())
    branch.write(f"UPDATE {branch.sql} SET {assigned} WHERE is_active AND {old} < {moments[-1].position.sql()}")


def _of(truncation: Truncation, value: str) -> str:
    if value == "at":
        return truncation.at_sql
    return str(getattr(truncation.position, value)) + ("" if value == "epoch" else "L")


def _names(names: Sequence[str], prefix: str = "") -> str:
    return ", ".join(prefix + quoted(name) for name in names)


def _assignments(names: Iterable[str]) -> str:
    return ", ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in names)

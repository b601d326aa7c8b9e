"""Writes prepared rows on a branch: new keys as an append, known ones as a merge, a TRUNCATE over what is older."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame

from lakehouse import position
from lakehouse.names import literal, quoted
from lakehouse.report import utc_text
from lakehouse.run import Run
from lakehouse.silver.cache import Cache
from lakehouse.silver.events import BROADCAST_ROWS, Truncation, key_range, range_limits, ranged
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


def write_rows(branch: Branch, key: Key, rows: DataFrame, summary: Summary, cache: Cache) -> None:
    """Writes whole rows: an append for new keys, a merge for those that silver has."""
    columns = [name for name in branch.columns() if name in set(rows.columns)]
    if summary.new:
        new = rows.where("NOT __exists") if summary.new < summary.rows else rows
        keys = [quoted(c) for c in key.columns]
        new = new.repartitionByRange(*keys) if summary.new >= RANGE_SORT else new
        branch.append(new.sortWithinPartitions(*keys), columns)
    if summary.new < summary.rows:
        known = rows.where("__exists") if summary.new else rows
        # a small batch is sent to the table's files, so these are not shuffled
        known = cache.view(known.hint("broadcast") if summary.rows <= BROADCAST_ROWS else known)
        on = f"{key.equals('t', 's')} AND {key_range('t', key.columns, summary.ranges)}"
        changed = ", ".join(f"t.{quoted(c)} = s.{quoted(c)}" for c in columns if c not in key.columns)
        branch.write(f"MERGE INTO {branch.sql} AS t USING {known} AS s ON {on} WHEN MATCHED THEN UPDATE SET {changed}")


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

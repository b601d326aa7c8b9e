"""Upkeep of every table of the lake, within a time budget; no table's trouble stops another's.

It runs under the lake's lock, beside no layer. Should one write nevertheless, Iceberg refuses the later of two commits
that contradict each other: either's work is done again, and no row is lost.
"""

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from lakehouse.faults import reached
from lakehouse.iceberg import IcebergTable
from lakehouse.lake_tables import ENGINE_TABLES
from lakehouse.names import CATALOG, quoted
from lakehouse.report import Check, Report, TableReport, Upkeep
from lakehouse.run import Run
from lakehouse.silver.layer import total_rows
from lakehouse.upkeep import compact, delete_orphans, expire_snapshots, join_manifests

WORKERS = 2
"""Tables side by side: most of the time goes into planning, on one core."""
ENGINE_RETENTION = timedelta(days=1)
"""The engine's own tables get a snapshot every few minutes and nobody reads them as they were."""
log = logging.getLogger("lakehouse")


def run(run: Run, report: Report) -> None:
    """Keeps all tables; one entry a table in the report. Those for which no time is left wait for the next run."""
    ends = time.monotonic() + run.arguments.budget_minutes * 60
    tables = _tables_of(run)
    with ThreadPoolExecutor(WORKERS) as workers:
        report.tables = list(workers.map(lambda table: _keep(run, table, ends), tables))
    left = [entry.table for entry in report.tables if not entry.published and not entry.checks]
    detail = f"no time was left for {', '.join(left)}" if left else None
    report.checks = [Check("tables_left", "warn", len(left), 0, detail)]


def _tables_of(run: Run) -> list[IcebergTable]:
    """The lake's tables, those with most files first: they need it most."""
    prefix, database = f"{run.names.database}_", f"{CATALOG}.{quoted(run.names.database)}"
    if not run.spark.catalog.databaseExists(database):
        return []
    rows = run.spark.sql(f"SHOW TABLES IN {database}").collect()
    tables = [run.table(row.tableName) for row in rows if row.tableName.startswith(prefix)]
    return sorted(tables, key=_files, reverse=True)


def _files(table: IcebergTable) -> int:
    try:
        summary = table.summary()
    except Exception:
        log.exception("the files of %s can't be counted: it comes last", table.bare)
        return 0
    return int(summary.get("total-data-files", "0")) + int(summary.get("total-delete-files", "0"))


def _keep(run: Run, table: IcebergTable, ends: float) -> TableReport:
    """One table's steps. One that fails is a failed check; the others are done all the same."""
    began = time.monotonic()
    done = Upkeep()
    entry = TableReport(table.bare, table.bare, upkeep=done)
    if began >= ends:
        return entry
    # In this order: compaction leaves snapshots to expire, an expiry that died leaves orphans.
    steps: Mapping[str, Callable[[], None]] = {
        "compaction": lambda: compact(table, done),
        "manifests": lambda: join_manifests(table, done),
        "snapshot_expiry": lambda: expire_snapshots(table, done, run.started_at - _retention(run, table)),
        "orphan_removal": lambda: delete_orphans(table, done, run.started_at),
        "description": lambda: _describe(table, entry),
    }
    for name, step in steps.items():
        try:
            step()
        except Exception as error:
            log.exception("%s of %s failed", name, table.bare)
            entry.checks.append(Check(name, "fail", 1, 0, f"{type(error).__name__}: {error}"[:1000]))
        reached(f"maintenance.{name}")
    entry.published = not entry.failed_checks()
    entry.duration_ms = int((time.monotonic() - began) * 1000)
    log.info("%s in %d ms: %s", table.bare, entry.duration_ms, done)
    return entry


def _retention(run: Run, table: IcebergTable) -> timedelta:
    asked = timedelta(days=run.arguments.retention_days)
    engines = {run.names.engine_table(name) for name in ENGINE_TABLES}
    return min(asked, ENGINE_RETENTION) if table.bare in engines else asked


def _describe(table: IcebergTable, entry: TableReport) -> None:
    summary = table.summary()
    entry.snapshot_id = summary.get("snapshot-id")
    entry.total_rows = total_rows(summary)

"""Bronze's commit: many tables, one append to `landed` decides (docs/architecture.md, commit protocol).

Rows go to the branch stage_<batch> of each table; the append of the batch's rows to `landed` is the commit; then every
branch is published. A run that dies before the commit leaves branches that the next one drops, after it branches that
the next one publishes.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame

from lakehouse import landed
from lakehouse.faults import reached
from lakehouse.iceberg import IcebergTable
from lakehouse.names import TRANSACTION_TABLE
from lakehouse.run import Run
from lakehouse.sqlfile import run_file

log = logging.getLogger("lakehouse")

_STAGE = re.compile(r"^stage_(\d+)$")
_WRITERS = 4


def stage_branch(batch: int) -> str:
    """The branch that holds a batch's rows until they are published."""
    return f"stage_{batch}"


@dataclass(frozen=True)
class Staged:
    """Rows for one table; `expected` is how many there must be."""

    table: IcebergTable
    rows: Callable[[], DataFrame]
    expected: int
    summary: Mapping[str, str]
    """Properties of the snapshot, for readers; nothing depends on them."""


def recover(run: Run) -> None:
    """Ends what a killed run left: publishes the branches of committed batches, drops the others."""
    leftovers = [
        (table, branch, int(found.group(1)))
        for table in _staged_tables(run)
        for branch in table.refs("BRANCH")
        if (found := _STAGE.match(branch))
    ]
    if not leftovers:
        return
    committed = landed.batches(run, {batch for _, _, batch in leftovers})
    for table, branch, batch in leftovers:
        log.warning("%s of a run that died: %s", branch, "published" if batch in committed else "dropped")
        if batch in committed:
            table.publish_append(branch)  # maintenance may have rewritten main since
        else:
            table.drop_branch(branch)


def _staged_tables(run: Run) -> list[IcebergTable]:
    captured = [table.table_id for table in run.registry.tables] + [TRANSACTION_TABLE]
    bronze = [run.layer_table("bronze", table_id) for table_id in captured]
    return [table for table in [*bronze, run.engine_table("quarantine")] if table.exists()]


def commit(run: Run, batch: int, staged: Sequence[Staged], landed_rows: Sequence[Mapping[str, Any]]) -> None:
    """Takes a batch: all of `staged` and `landed_rows`, or nothing of it, whenever the process dies."""
    _all_at_once(lambda s: _stage(s, stage_branch(batch)), staged)
    reached("bronze.staged")
    rows = run_file(run.spark, run.assets, "sql/bronze/landed.sql", {}, {"rows": json.dumps(landed_rows)})
    rows.coalesce(1).writeTo(run.engine_table("landed").name).append()
    reached("bronze.committed")
    _all_at_once(lambda s: _publish(s, stage_branch(batch)), staged)


def _stage(staged: Staged, branch: str) -> None:
    staged.table.create_branch(branch)
    reached("bronze.branched")
    # without a sort by partition: a batch has one day of processing
    writer = staged.rows().writeTo(staged.table.on(branch)).option("fanout-enabled", "true")
    for name, value in staged.summary.items():
        writer = writer.option(f"snapshot-property.{name}", value)
    writer.append()
    added = int(staged.table.summary(branch).get("added-records", "0"))
    if added != staged.expected:
        raise RuntimeError(
            f"{branch} of {staged.table.bare} has {added} rows, not {staged.expected}: it is not committed"
        )
    reached("bronze.staged_one")


def _publish(staged: Staged, branch: str) -> None:
    staged.table.publish(branch)
    reached("bronze.published_one")


def _all_at_once(work: Callable[[Staged], None], staged: Iterable[Staged]) -> None:
    """Does the tables side by side; raises the first error when all have ended."""
    with ThreadPoolExecutor(max_workers=_WRITERS) as pool:
        for done in [pool.submit(work, s) for s in staged]:
            done.result()

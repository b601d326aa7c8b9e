"""Which table comes when, and what becomes of one that can't even be read; needs no Spark."""

import time
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any, cast

from lakehouse import maintenance
from lakehouse.iceberg import IcebergTable


class Table:
    """As much of an IcebergTable as its order needs."""

    def __init__(self, bare: str, files: int | None) -> None:
        self.bare, self._files = bare, files

    def summary(self) -> dict[str, str]:
        if self._files is None:
            raise OSError("its metadata is gone")
        return {"total-data-files": str(self._files)}


def as_iceberg(table: Table) -> IcebergTable:
    return cast(IcebergTable, table)


def test_a_table_that_cannot_be_read_comes_last() -> None:
    tables = [Table("broken", None), Table("few", 1), Table("many", 9)]
    ordered = sorted(map(as_iceberg, tables), key=maintenance._files, reverse=True)
    assert [table.bare for table in ordered] == ["many", "few", "broken"]


def test_a_table_that_cannot_be_read_is_a_failed_check_and_no_end_of_the_job() -> None:
    run = cast(Any, SimpleNamespace(started_at=datetime.now(timezone.utc)))
    entry = maintenance._keep(run, as_iceberg(Table("broken", None)), time.monotonic() + 60)
    assert not entry.published
    assert ("description", "OSError: its metadata is gone") in [(c.name, c.detail) for c in entry.failed_checks()]

"""Rows whose key has an open quarantined event say so: what they show may be older than the source."""

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql.functions import expr

from lakehouse.columns import Column
from lakehouse.iceberg import Consumed, IcebergTable, consumed, mark_consumed
from lakehouse.names import literal, quoted
from lakehouse.run import Run
from lakehouse.silver.events import key_columns
from lakehouse.silver.resolve import Key

FLAG = "key: open quarantined event"


class OpenQuarantine:
    """The keys of one table with open quarantined events, now and when silver last looked."""

    def __init__(self, run: Run, table_id: str, snapshot_id: int | None, open_now: int) -> None:
        self._table: IcebergTable = run.engine_table("quarantine")
        self._table_id = table_id
        self._snapshot_id = snapshot_id
        self._open_now = open_now
        self._seen = consumed(self._table, f"silver_{table_id}") if snapshot_id is not None else None

    @property
    def changed(self) -> bool:
        """Whether rows that no event touches may need the flag, or lose it."""
        if self._snapshot_id is None or (self._seen is None and not self._open_now):
            return False
        return self._seen is None or self._seen.snapshot_id != self._snapshot_id

    def changed_rows(self, silver: DataFrame, key: Key, schemas: Mapping[str, Sequence[Column]]) -> DataFrame:
        """Keys of silver's rows whose flag is not what it should be by now."""
        now = self._open_keys(self._snapshot_id, key, schemas)
        then = self._open_keys(self._seen.snapshot_id if self._seen else None, key, schemas)
        differs = now.exceptAll(then).unionByName(then.exceptAll(now))
        on = expr(key.matches("t", "k"))
        return silver.alias("t").join(differs.alias("k"), on, "left_semi").select(*[quoted(c) for c in key.columns])

    def open_keys(self, key: Key, schemas: Mapping[str, Sequence[Column]]) -> DataFrame | None:
        """The keys with an open event, as __k0 ...; None when there are none."""
        return self._open_keys(self._snapshot_id, key, schemas) if self._open_now and key.columns else None

    def mark_seen(self, batch: int) -> None:
        """Moves the tag: the published rows show this state."""
        if self.changed and self._snapshot_id is not None:
            mark_consumed(self._table, f"silver_{self._table_id}", Consumed(batch, self._snapshot_id))

    def _open_keys(self, snapshot_id: int | None, key: Key, schemas: Mapping[str, Sequence[Column]]) -> DataFrame:
        newest = dict(list(schemas.items())[:1])
        rows = self._table.spark.table(self._table.name).where("false")
        if snapshot_id is not None:
            rows = self._table.at(snapshot_id)
        mine = rows.where(f"table_id = {literal(self._table_id)} AND state = 'open' AND key IS NOT NULL")
        columns = key_columns("key", "NULL", key.source_names, key.types, newest, "__k")
        return mine.selectExpr(*[f"{sql} AS {name}" for name, sql in columns.items()]).distinct()


def open_events(run: Run) -> tuple[int | None, dict[str, int]]:
    """The snapshot of the quarantine and how many events with a key are open in it, by table."""
    table = run.engine_table("quarantine")
    snapshot_id = table.snapshot_id() if table.exists() else None
    if snapshot_id is None:
        return None, {}
    rows = table.at(snapshot_id).where("state = 'open' AND key IS NOT NULL").groupBy("table_id").count().collect()
    return snapshot_id, {row["table_id"]: row["count"] for row in rows}

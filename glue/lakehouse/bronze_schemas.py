"""The column lists that bronze has met."""

from collections.abc import Iterable
from typing import Any

from lakehouse.bronze_plan import PlannedPack
from lakehouse.packs import PACKS
from lakehouse.report import utc_text
from lakehouse.run import Run
from lakehouse.sqlfile import run_file


def register_schemas(run: Run, planned: Iterable[PlannedPack]) -> None:
    """Registers column lists before any event that has them is there to read."""
    first: dict[tuple[Any, ...], int] = {}
    for pack in (p.pack for p in planned if not p.is_duplicate and p.pack.schema_id):
        key = (pack.table_id, pack.schema_id, pack.partition.epoch, pack.partition.topic, pack.partition.partition)
        first[key] = min(pack.interval[0], first.get(key, pack.interval[0]))
    known = _known_schemas(run) if first else {}
    if any(key not in known or offset < known[key] for key, offset in first.items()):
        identifiers = {"schemas": run.engine_table("bronze_schemas").name, "packs": PACKS}
        values = {"first_seen": utc_text(run.started_at)}
        run_file(run.spark, run.assets, "sql/bronze/schemas.sql", identifiers, values)


# What a warm process has read: by table, a snapshot and its first offset by (table, schema, epoch, topic, partition).
_known: dict[str, tuple[int | None, dict[tuple[Any, ...], int]]] = {}


def _known_schemas(run: Run) -> dict[tuple[Any, ...], int]:
    table = run.engine_table("bronze_schemas")
    snapshot_id = table.snapshot_id()
    if table.name not in _known or _known[table.name][0] != snapshot_id:
        columns = "table_id, schema_id, epoch, topic, partition, first_offset"
        rows = run.spark.sql(f"SELECT {columns} FROM {table.name}").collect() if snapshot_id else []
        _known[table.name] = (snapshot_id, {tuple(row)[:5]: row.first_offset for row in rows})
    return _known[table.name][1]

"""TRUNCATEs that silver has applied: kept, because an older event may still come."""

from collections.abc import Sequence

from lakehouse.lake_tables import ensure_engine_tables
from lakehouse.names import literal
from lakehouse.report import utc_text
from lakehouse.run import Run
from lakehouse.silver.events import Position, Truncation

_COLUMNS = "table_id, epoch, commit_lsn, lsn, tx_order, truncated_at, batch, processed_at"


def stored_truncations(run: Run, table_ids: Sequence[str]) -> dict[str, list[Truncation]]:
    """The TRUNCATEs known of each table."""
    table = run.engine_table("silver_truncations")
    if not table_ids or not table.exists() or table.snapshot_id() is None:
        return {}
    found: dict[str, list[Truncation]] = {}
    wanted = ", ".join(literal(t) for t in table_ids)
    for row in run.spark.sql(
        f"SELECT *, unix_micros(truncated_at) AS at FROM {table.name} WHERE table_id IN ({wanted})"
    ).collect():
        position = Position(row.epoch, row.commit_lsn, 1, row.lsn, row.tx_order)
        found.setdefault(row.table_id, []).append(Truncation(position, row.at))
    return found


def store_truncations(
    run: Run, table_id: str, truncations: Sequence[Truncation], known: Sequence[Truncation], batch: int
) -> None:
    """Adds those that are not known. They are facts of bronze, so they may be there before the table is published."""
    positions = {t.position for t in known}
    new = [t for t in truncations if t.position not in positions]
    if not new:
        return
    ensure_engine_tables(run)
    now = f"TIMESTAMP {literal(utc_text(run.started_at))}"
    rows = ", ".join(
        f"({literal(table_id)}, {p.epoch}, {p.commit_lsn}L, {p.lsn}L, {p.tx_order}L, {t.at_sql}, {batch}L, {now})"
        for t in new
        for p in [t.position]
    )
    run.spark.sql(f"INSERT INTO {run.engine_table('silver_truncations').name} ({_COLUMNS}) VALUES {rows}")

"""A table without a key: silver holds its change events, each once, in an append-only history."""

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql.functions import expr

from lakehouse.columns import decoded_by_schema, failure_by_schema, json_fields
from lakehouse.names import literal, quoted
from lakehouse.silver.events import Events
from lakehouse.silver.resolve import NO_FLAGS, UNKNOWN
from lakehouse.silver.shape import Shape

_STAMPS: Mapping[str, str] = {
    "_op": "__op",
    "source_updated_at": "__source_ts",
    "_epoch": "__epoch",
    "_commit_lsn": "__commit_lsn",
    "_lsn": "__lsn",
    "_tx_order": "__tx_order",
    "_schema_id": "__schema_id",
    "_kafka_cluster": "__cluster",
    "_kafka_topic": "__topic",
    "_kafka_partition": "__partition",
    "_kafka_offset": "__offset",
}
_EVENT = ("_epoch", "_commit_lsn", "_lsn", "_tx_order", "_op")
_RECORD = ("_kafka_cluster", "_kafka_topic", "_kafka_partition", "_kafka_offset")


def new_events(events: Events, shape: Shape, silver: DataFrame | None) -> DataFrame:
    """The batch's events that the history does not have, typed.

    A streamed event is told by its position, however often it was sent; a snapshot row (and an event without an order
    in its transaction) by its Kafka record. Of a d the columns hold the row before.
    """
    rows = events.rows.where("NOT __late")
    names = [c.source_name for c in shape.columns if c.schemas]
    rows = rows.withColumn("__texts", expr(f"from_json(coalesce(__after, __before), {json_fields(names)})"))
    columns, flags = {}, []
    for column in shape.columns:
        text = f"__texts.{quoted(column.source_name)}"
        unchanged = f"array_contains(__unchanged, {literal(column.source_name)})"
        if not column.schemas:
            columns[column.name] = f"CAST(NULL AS {column.type})"
            continue
        sent = decoded_by_schema(text, "__schema_id", column.schemas, column.type)
        columns[column.name] = f"CAST(IF({unchanged}, NULL, {sent}) AS {column.type})"
        flags.append(f"IF({unchanged}, {literal(f'{column.name}: {UNKNOWN}')}, NULL)")
        failure = failure_by_schema(text, "__schema_id", column.schemas, column.type)
        if failure:
            flags.append(f"IF({unchanged}, NULL, concat({literal(f'{column.name}: unrepresentable ')}, {failure}))")
    columns["quality_flags"] = f"array_compact(array({', '.join(flags)}))" if flags else NO_FLAGS
    columns |= _STAMPS
    known = "__tx_known AND __phase = 1"
    typed = rows.selectExpr(*[f"{sql} AS {quoted(name)}" for name, sql in columns.items()], f"{known} AS __ordered")
    record = f"IF(__ordered, NULL, struct({', '.join(_RECORD)}))"
    order = f"row_number() OVER (PARTITION BY {', '.join(_EVENT)}, {record} ORDER BY _kafka_offset)"
    first = typed.withColumn("__nth", expr(order)).where("__nth = 1").drop("__nth")
    if silver is not None:
        first = _not_in(first, silver, events)
    return first.drop("__ordered")


def _not_in(rows: DataFrame, silver: DataFrame, events: Events) -> DataFrame:
    held = silver.where(f"_lsn >= {events.profile.low_lsn}")
    held = held.selectExpr(*[f"{name} AS __h{name}" for name in (*_EVENT, *_RECORD)])
    same_event = " AND ".join(f"{name} = __h{name}" for name in _EVENT)
    same_record = " AND ".join(f"{name} = __h{name}" for name in _RECORD)
    return rows.join(held, expr(f"{same_event} AND (__ordered OR ({same_record}))"), "left_anti")

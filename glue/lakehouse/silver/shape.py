"""The columns of a silver table: from the schemas that events came with to the lake's, widening as the source does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lakehouse.columns import Column, NotWidenableError, common_type, widened
from lakehouse.silver.held import HeldError

ENGINE_COLUMNS: Mapping[str, str] = {
    "is_active": "boolean",
    "deleted_at": "timestamp",
    "quality_flags": "array<string>",
    "source_updated_at": "timestamp",
    "processed_at": "timestamp",
    "_epoch": "int",
    "_commit_lsn": "bigint",
    "_lsn": "bigint",
    "_tx_order": "bigint",
    "_schema_id": "string",
    "_batch": "bigint",
}
HISTORY_COLUMNS: Mapping[str, str] = {
    "_op": "string",
    "_kafka_cluster": "string",
    "_kafka_topic": "string",
    "_kafka_partition": "int",
    "_kafka_offset": "bigint",
}
# Names that Iceberg keeps for itself: a table with one can be made but not read.
_ICEBERG_NAMES = (
    "_file",
    "_pos",
    "_deleted",
    "_spec_id",
    "_partition",
    "_row_id",
    "_last_updated_sequence_number",
    "_change_type",
    "_change_ordinal",
    "_commit_snapshot_id",
)


def lake_name(column: str) -> str:
    """The lake's name of a source column: its own, or source_<name> where the engine or Iceberg needs the name."""
    lower = column.lower()
    taken = lower in ENGINE_COLUMNS or lower in HISTORY_COLUMNS or lower in _ICEBERG_NAMES or lower.startswith("__")
    return f"source_{column}" if taken else column


@dataclass(frozen=True)
class LakeColumn:
    """A source column in silver: `schemas` is its definition in each schema of the batch that has it."""

    name: str
    source_name: str
    type: str
    schemas: Mapping[str, Column] = field(default_factory=dict)


@dataclass(frozen=True)
class Shape:
    """What a batch makes of a silver table's source columns, in the lake's order.

    `added` and `retyped` are what the existing table has to become first: name -> type. `text_columns` hold values of
    types that can't be reconciled, as text.
    """

    columns: tuple[LakeColumn, ...]
    added: Mapping[str, str]
    retyped: Mapping[str, str]
    text_columns: tuple[str, ...] = ()

    def column(self, source_name: str) -> LakeColumn | None:
        """The column of a source name."""
        return next((c for c in self.columns if c.source_name == source_name), None)


def shape_of(
    table_id: str,
    existing: Mapping[str, str],
    schemas: Mapping[str, Sequence[Column]],
    text_columns: Iterable[str] = (),
    new: bool = False,
) -> Shape:
    """The shape of a table that has the source columns `existing` (lake name -> type) and gets events of `schemas`
    (the newest first).

    A `new` table keeps a column whose types can't be reconciled as text; `text_columns` are an existing one's such.
    Raises HeldError that names the column, its types and the remedy when a change can't be widened.
    """
    by_name: dict[str, dict[str, Column]] = {}
    for schema_id, columns in schemas.items():
        for column in columns:
            by_name.setdefault(column.name, {})[schema_id] = column
    _refuse_twins(table_id, [*existing, *(lake_name(name) for name in by_name)])
    known = {name.lower(): name for name in existing}
    columns, added, retyped, as_text = [], {}, {}, set(text_columns)
    for source_name, definitions in by_name.items():
        wanted = lake_name(source_name)
        name = known.get(wanted.lower(), wanted)
        types = sorted({c.type for c in definitions.values()})
        try:
            type_ = _grown(existing[name], types) if name in existing else common_type(types)
        except NotWidenableError as error:
            if not new and name not in as_text:
                raise HeldError(_not_widenable(table_id, source_name, error)) from error
            as_text.add(name)
            type_ = "string"
        if name not in existing:
            added[name] = type_
        elif type_ != existing[name]:
            retyped[name] = type_
        columns.append(LakeColumn(name, source_name, type_, definitions))
    met = {c.name for c in columns}
    gone = [LakeColumn(name, name, type_) for name, type_ in existing.items() if name not in met]
    return Shape((*columns, *gone), added, retyped, tuple(sorted(as_text)))


def _grown(current: str, types: Iterable[str]) -> str:
    for type_ in types:
        current = widened(current, type_)
    return current


def _refuse_twins(table_id: str, names: Iterable[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise HeldError(
                f"{table_id}: the columns {other} and {name} differ by case only, which the lake can't tell apart; "
                "rename one at the source and resnapshot the table"
            )


def _not_widenable(table_id: str, column: str, error: NotWidenableError) -> str:
    return (
        f"{table_id}: column {column} changed its type {error}, which its lake column can't become. Drop the silver "
        "table: the next run makes it anew from bronze, with this column as text"
    )

"""The silver table that is written: made and grown to its shape, written on a branch, published."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from lakehouse.iceberg import IcebergTable, table_properties
from lakehouse.names import CATALOG, literal, quoted
from lakehouse.run import Run
from lakehouse.silver.held import HeldError
from lakehouse.silver.shape import ENGINE_COLUMNS, HISTORY_COLUMNS, Shape
from lakehouse.sqlfile import run_file

KEY = "lakehouse.key"
MADE = "lakehouse.made-columns"  # derived and reference columns: not the source's
TEXT = "lakehouse.text-columns"  # columns that keep values of several types as text
CLOCK = "lakehouse.clock"  # the highest _batch, where it ran ahead of the landed batches
BRANCH = "audit_"


@dataclass(frozen=True)
class Target:
    """A silver table as it was when the run looked: main's snapshot, columns and properties.

    `columns` is empty and `key` None when there is no table yet; `key` is () for a history of events. `clock` is 0
    unless some `_batch` ran ahead of the landed batches.
    """

    table: IcebergTable
    snapshot_id: int | None
    columns: Mapping[str, str]
    key: tuple[str, ...] | None
    made: tuple[str, ...]
    text: tuple[str, ...]
    clock: int
    branches: tuple[str, ...]
    tags: tuple[str, ...]

    @property
    def exists(self) -> bool:
        return self.key is not None

    @property
    def source_columns(self) -> dict[str, str]:
        """Columns that came from the source, with their types."""
        engine = {*ENGINE_COLUMNS, *HISTORY_COLUMNS, *self.made}
        return {name: type_ for name, type_ in self.columns.items() if name not in engine}

    def rows(self) -> DataFrame | None:
        """The published rows; None when there never were any."""
        return self.table.at(self.snapshot_id) if self.snapshot_id is not None else None


def open_target(run: Run, table_id: str) -> Target:
    """The silver table of a captured table, as it is now."""
    table = run.layer_table("silver", table_id)
    if not table.exists():
        return Target(table, None, {}, None, (), (), 0, (), ())
    java = table.java()
    properties = dict(java.properties())
    if KEY not in properties:
        raise HeldError(f"{table.bare} was not made by this engine (no property {KEY}): drop it, or name it otherwise")
    main, refs = java.currentSnapshot(), dict(java.refs())
    return Target(
        table=table,
        snapshot_id=main.snapshotId() if main is not None else None,
        columns=dict(run.spark.table(table.name).dtypes),
        key=tuple(json.loads(properties[KEY])),
        made=tuple(json.loads(properties.get(MADE, "[]"))),
        text=tuple(json.loads(properties.get(TEXT, "[]"))),
        clock=int(properties.get(CLOCK, "0")),
        branches=tuple(name for name, ref in refs.items() if ref.isBranch()),
        tags=tuple(name for name, ref in refs.items() if ref.isTag()),
    )


def make_target(run: Run, target: Target, shape: Shape, key: Sequence[str], bucket: int | None) -> None:
    """Makes the table with the source's columns; an existing one gets new columns and wider types.

    Additive changes show on main at once, as null.
    """
    table = target.table
    if target.exists:
        for name, type_ in shape.retyped.items():
            _retype(run, table, name, target.columns[name], type_)
        _add_columns(run, table, shape.added)
        return
    run.spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {CATALOG}.{quoted(table.database)}")
    properties = f"{table_properties()}, '{KEY}' = {_json(key)}, '{TEXT}' = {_json(shape.text_columns)}"
    identifiers = {
        "target": table.name,
        "columns": "".join(f"{quoted(c.name)} {c.type}, " for c in shape.columns),
        "partitioning": f"PARTITIONED BY (bucket({bucket}, {quoted(key[0])}))" if bucket and key else "",
        "properties": properties,
    }
    run_file(run.spark, run.assets, f"sql/lake/{'silver' if key else 'silver_history'}.sql", identifiers)


def add_made_columns(run: Run, target: Target, made: Mapping[str, str]) -> None:
    """Adds derived and reference columns, and remembers them as such before they are there."""
    missing = {name: type_ for name, type_ in made.items() if name not in target.columns}
    if set(made) - set(target.made):
        target.table.set_properties({MADE: json.dumps(sorted({*target.made, *made}))})
    _add_columns(run, target.table, missing)


def set_clock(target: Target, stamp: int, batch: int) -> None:
    """Remembers a stamp that is ahead of the landed batch, before rows carry it on main."""
    if stamp > batch:
        target.table.set_properties({CLOCK: str(stamp)})


def _json(names: Sequence[str]) -> str:
    return literal(json.dumps(list(names)))


def _add_columns(run: Run, table: IcebergTable, columns: Mapping[str, str]) -> None:
    if columns:
        listed = ", ".join(f"{quoted(name)} {type_}" for name, type_ in columns.items())
        run.spark.sql(f"ALTER TABLE {table.name} ADD COLUMNS ({listed})")


def _retype(run: Run, table: IcebergTable, name: str, current: str, type_: str) -> None:
    path = quoted(name)
    while current.startswith("array<"):
        path, current, type_ = f"{path}.element", current[6:-1], type_[6:-1]
    run.spark.sql(f"ALTER TABLE {table.name} ALTER COLUMN {path} TYPE {type_}")


class Branch:
    """The branch on which a run writes its next state of a table."""

    def __init__(self, run: Run, target: Target, stamp: int) -> None:
        self._spark = run.spark
        self.table = target.table
        self.name = f"{BRANCH}{stamp}"
        self.sql = target.table.on(self.name)
        self.written = 0
        for leftover in target.branches:
            if leftover.startswith(BRANCH):
                self.table.drop_branch(leftover)
        self.table.create_branch(self.name)

    def write(self, sql: str) -> None:
        """Runs one MERGE or UPDATE."""
        self._spark.sql(sql)
        self._count()

    def append(self, rows: DataFrame, columns: Sequence[str]) -> None:
        """Appends these columns of the rows."""
        rows.select(*[quoted(name) for name in columns]).writeTo(self.sql).append()
        self._count()

    def _count(self) -> None:
        self.written += int(self.table.summary(self.name).get("added-records", "0"))

    def columns(self) -> list[str]:
        """The table's columns."""
        return self.rows().columns

    def snapshot_id(self) -> int | None:
        """The branch's newest snapshot."""
        return self.table.snapshot_id(self.name)

    def rows(self) -> DataFrame:
        """The branch's rows."""
        return self._spark.table(self.sql)

    def publish(self) -> None:
        """Makes it main. Raises when main has moved since."""
        self.table.publish(self.name)

    def drop(self) -> None:
        """Gives the branch up."""
        self.table.drop_branch(self.name)

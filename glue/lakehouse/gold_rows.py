"""What a model's rows should be now: keys.sql -> load.sql -> finish.sql over views of this run's silver."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import DataFrame

from lakehouse.gold_inputs import Seen, SilverInputs
from lakehouse.gold_model import Model
from lakehouse.iceberg import IcebergTable
from lakehouse.run import Run
from lakehouse.sqlfile import run_file

# A table of so many delete files is written anew, which leaves none: each one is read with its data file.
DELETE_FILES = 32


@dataclass(frozen=True)
class Computation:
    """Rows of a model. `whole`: they are all it has; otherwise those of the view {keys}, a key without one is gone.

    `full`: every key was computed from silver. `placeholders` are the views for more of the model's SQL.
    """

    rows: DataFrame
    keys_count: int
    whole: bool
    full: bool
    placeholders: Mapping[str, str]


@contextmanager
def compute(
    run: Run,
    model: Model,
    inputs: SilverInputs,
    target: IcebergTable,
    seen: Mapping[str, tuple[Seen, ...]],
    full: bool,
) -> Iterator[Computation]:
    """The rows of the keys that changes since `seen` touch; in a full run every row of silver counts as changed.

    The keys stay in memory while the context is open.
    """
    placeholders: dict[str, str] = {}

    def view(name: str, rows: DataFrame) -> None:
        placeholders[name] = f"gold_{model.name}_{name}"
        rows.createOrReplaceTempView(placeholders[name])

    for given in model.inputs:
        rows = inputs.rows(given)
        view(given.alias, rows)
        view(f"changed_{given.alias}", rows if full else inputs.changed(given, seen[given.alias]))
    keys = run_file(run.spark, run.assets, model.path("keys.sql"), placeholders)
    keys = keys.select(*model.grain).distinct().persist()
    try:
        keys_count = keys.count()
        view("keys", keys)
        rows = run_file(run.spark, run.assets, model.path("load.sql"), placeholders)
        whole = full or model.has("finish.sql") or _is_fragmented(target)
        if whole and not full:
            untouched = run.spark.table(target.name).select(*rows.columns).join(keys, [*model.grain], "left_anti")
            rows = rows.unionByName(untouched)
        if model.has("finish.sql"):
            view("measures", rows)
            rows = run_file(run.spark, run.assets, model.path("finish.sql"), placeholders)
        yield Computation(rows, keys_count, whole, full, placeholders)
    finally:
        keys.unpersist()


def _is_fragmented(target: IcebergTable) -> bool:
    return int(target.summary().get("total-delete-files", 0)) >= DELETE_FILES

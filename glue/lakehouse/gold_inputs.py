"""What gold reads of silver in one run: the published snapshots, and which rows changed since a model last read them.

A model's tags on an input, `gold_<model>_b<batch>_<snapshot>`, say which states of the input its published rows may
reflect. The tag of the new state is made before the rows are published and older ones go after, so a crash between
leaves both, and the next run takes the old values of changed rows from each: an order that moved A -> B (published,
not acknowledged) and then B -> C makes A, B and C be computed again.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock, RLock
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql.functions import broadcast, col, lit
from pyspark.sql.functions import max as highest

from lakehouse import faults
from lakehouse.gold_model import Input, Model
from lakehouse.iceberg import IcebergTable
from lakehouse.report import read_report
from lakehouse.run import Run


@dataclass(frozen=True)
class State:
    """A silver table at a snapshot that holds every change up to `batch`."""

    table: IcebergTable
    snapshot_id: int
    batch: int


@dataclass(frozen=True)
class Seen:
    """A state of an input that a model's published rows may reflect."""

    batch: int
    snapshot_id: int


class SilverInputs:
    """The silver tables of some models, at the snapshots that silver published in this run (else the newest)."""

    def __init__(self, run: Run, models: Iterable[Model]) -> None:
        self._run = run
        self._columns: dict[str, list[str]] = {}
        for model_input in (i for m in models for i in m.inputs):
            columns = self._columns.setdefault(model_input.table_id, [])
            columns += [c for c in model_input.columns if c not in columns]
        report = read_report(run.store, run.arguments.run_id, "silver") or {}
        self._held = {t["table"]: t["held"] for t in report.get("tables", []) if t.get("held")}
        self._states = {t: self._state(t, report.get("manifest", {}).get(t)) for t in self._columns}
        self._touched: dict[tuple[str, tuple[Seen, ...]], DataFrame] = {}
        self._touching = RLock()
        self._tagging = {table_id: Lock() for table_id in self._columns}

    def _state(self, table_id: str, published: dict[str, Any] | None) -> State | None:
        table = self._run.layer_table("silver", table_id)
        if published:
            return State(table, int(published["snapshot_id"]), int(published["batch"]))
        snapshot_id = table.snapshot_id() if table.exists() else None
        if snapshot_id is None:
            return None
        batch = table.at(snapshot_id).agg(highest("_batch")).collect()[0][0]
        return State(table, snapshot_id, batch or 0)

    def held(self, model: Model) -> str | None:
        """Why silver held back an input of the model in this run; None when it held back none."""
        reasons = [f"{i.table_id} is held: {self._held[i.table_id]}" for i in model.inputs if i.table_id in self._held]
        return "; ".join(reasons) or None

    def missing(self, model: Model) -> list[str]:
        """Inputs of the model that silver does not have yet."""
        return [i.table_id for i in model.inputs if self._states[i.table_id] is None]

    def state(self, model_input: Input) -> State:
        """The state of an input that is not missing."""
        state = self._states[model_input.table_id]
        if state is None:
            raise LookupError(f"{model_input.table_id} has no silver table yet")
        return state

    def seen(self, model: Model, model_input: Input) -> tuple[Seen, ...]:
        """The states that the model's rows may reflect; empty when it never read the input."""
        tags = self.state(model_input).table.refs("TAG")
        found = ((_tag_pattern(model).fullmatch(name), snapshot_id) for name, snapshot_id in tags.items())
        return tuple(sorted((Seen(int(m[1]), s) for m, s in found if m), key=lambda s: (s.batch, s.snapshot_id)))

    def is_new(self, model_input: Input, seen: tuple[Seen, ...]) -> bool:
        """Whether the input may differ from what the model's rows reflect."""
        return {s.snapshot_id for s in seen} != {self.state(model_input).snapshot_id}

    def rows(self, model_input: Input) -> DataFrame:
        """The input's rows of this run, in the model's columns."""
        state = self.state(model_input)
        return state.table.at(state.snapshot_id).select(*model_input.columns)

    def changed(self, model_input: Input, seen: tuple[Seen, ...]) -> DataFrame:
        """Rows whose columns of the model differ between the states seen and now: as they were and as they are."""
        if not self.is_new(model_input, seen):
            return self.rows(model_input).limit(0)
        touched = self._touched_rows(model_input, seen).select(*model_input.columns)
        # a key has one row in each state: a row found in every one of them has not changed
        states = len({s.snapshot_id for s in seen}) + 1
        return touched.groupBy(*model_input.columns).count().where(col("count") < states).drop("count")

    def _touched_rows(self, model_input: Input, seen: tuple[Seen, ...]) -> DataFrame:
        """Rows written since the oldest state seen, and the rows of their keys in each state seen; kept in memory."""
        with self._touching:
            at = (model_input.table_id, seen)
            if at not in self._touched:
                self._touched[at] = self._read_touched(model_input, seen).persist()
            return self._touched[at]

    def _read_touched(self, model_input: Input, seen: tuple[Seen, ...]) -> DataFrame:
        state, columns = self.state(model_input), self._columns[model_input.table_id]
        oldest = min(s.batch for s in seen)
        now = state.table.at(state.snapshot_id).where(col("_batch") > oldest).select(*columns)
        rows = now
        for snapshot_id in {s.snapshot_id for s in seen}:
            then = _in_columns(state.table.at(snapshot_id), now)
            rows = rows.unionByName(then.join(broadcast(now.select(*model_input.key)), [*model_input.key], "left_semi"))
        return rows

    def claim(self, model: Model) -> None:
        """Tags the states that the model is about to publish from."""
        for model_input in model.inputs:
            state = self.state(model_input)
            with self._tagging[model_input.table_id]:
                state.table.tag(_tag(model, state), state.snapshot_id)
            faults.reached("gold.claimed_one")

    def acknowledge(self, model: Model) -> None:
        """Drops the tags of older states: the model's published rows reflect this run's."""
        for model_input in model.inputs:
            state = self.state(model_input)
            with self._tagging[model_input.table_id]:
                for name in state.table.refs("TAG"):
                    if _tag_pattern(model).fullmatch(name) and name != _tag(model, state):
                        state.table.drop_tag(name)
            faults.reached("gold.tagged_one")

    def close(self) -> None:
        """Frees what the run kept in memory."""
        for rows in self._touched.values():
            rows.unpersist()


def _tag(model: Model, state: State) -> str:
    return f"gold_{model.name}_b{state.batch}_{state.snapshot_id}"


def _tag_pattern(model: Model) -> re.Pattern[str]:
    return re.compile(rf"gold_{re.escape(model.name)}_b(\d+)_\d+")


def _in_columns(then: DataFrame, now: DataFrame) -> DataFrame:
    """Rows of an older state in today's columns; a column that it did not have yet is null."""
    had = set(then.columns)
    return then.select(
        *(col(f.name) if f.name in had else lit(None).cast(f.dataType).alias(f.name) for f in now.schema.fields)
    )


@contextmanager
def silver_inputs(run: Run, models: Iterable[Model]) -> Iterator[SilverInputs]:
    """SilverInputs that frees its memory at the end."""
    inputs = SilverInputs(run, models)
    try:
        yield inputs
    finally:
        inputs.close()

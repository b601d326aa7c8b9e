"""Gold: every model of sql/gold computed for the grain keys that silver's changes touch, audited, then published."""

import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pyspark.sql import DataFrame

from lakehouse import faults
from lakehouse.gold_inputs import Seen, SilverInputs, silver_inputs
from lakehouse.gold_model import STAMPS, Model, ModelError, load_models
from lakehouse.iceberg import IcebergTable, table_properties
from lakehouse.names import CATALOG, literal, quoted
from lakehouse.report import Check, Report, TableReport, utc_text
from lakehouse.run import Run
from lakehouse.sqlfile import render, run_file, statements

# Catalogs of Iceberg 1.11 that keep views; GlueCatalog does not (docs/decisions/020-views-on-gold.md).
VIEW_CATALOGS = ("jdbc", "rest")
# Models side by side: each is mostly planning and small jobs, so two keep two cores busy.
WORKERS = 4

_VERSION = "lakehouse.model-version"


def run(run: Run, report: Report) -> None:
    """Brings every model up to the silver state of this run; fills the report with one entry a model."""
    models = load_models(run.assets, run.arguments.models)
    with silver_inputs(run, models) as inputs, ThreadPoolExecutor(WORKERS) as workers:
        report.tables = list(workers.map(lambda model: _refresh(run, model, inputs), models))
    report.batch = max((t.batch for t in report.tables if t.batch is not None), default=None)


def _refresh(run: Run, model: Model, inputs: SilverInputs) -> TableReport:
    """One model. What goes wrong with it holds it back, and nothing else; the next run starts from the same state."""
    started = time.monotonic()
    target = run.layer_table("gold", model.name)
    entry = TableReport(model.name, target.bare)
    try:
        _publish_changes(run, model, inputs, target, entry)
    except Exception as error:
        entry.held = f"{type(error).__name__}: {error}"[:2000]
    entry.duration_ms = int((time.monotonic() - started) * 1000)
    return entry


def _publish_changes(run: Run, model: Model, inputs: SilverInputs, target: IcebergTable, entry: TableReport) -> None:
    entry.held = inputs.held(model)
    missing = inputs.missing(model)
    if missing:
        entry.checks.append(
            Check("inputs_exist", "warn", len(missing), 0, f"no silver table yet: {', '.join(missing)}")
        )
    if entry.held or missing:
        return
    entry.batch = max(inputs.state(i).batch for i in model.inputs)
    seen = {i.alias: inputs.seen(model, i) for i in model.inputs}
    full = run.arguments.full or _is_first(model, target, seen)
    if full:
        _make_table(run, model, target)
    elif not any(inputs.is_new(i, seen[i.alias]) for i in model.inputs):
        return
    _drop_dead_branches(target)
    computation = _compute(run, model, inputs, target, seen, full)
    try:
        _audit_and_publish(run, model, inputs, target, computation, entry)
    finally:
        computation.keys.unpersist()
    if full:
        _make_view(run, model, target)
        target.set_properties({_VERSION: model.version})


def _is_first(model: Model, target: IcebergTable, seen: Mapping[str, Sequence[Seen]]) -> bool:
    """Whether the rows there (if any) don't come from this model's SQL and known states of all its inputs."""
    return not all(seen.values()) or not target.exists() or target.properties().get(_VERSION) != model.version


def _make_table(run: Run, model: Model, target: IcebergTable) -> None:
    if not target.exists():
        placeholders = {"target": target.name, "properties": table_properties()}
        run_file(run.spark, run.assets, model.path("create.sql"), placeholders)


def _drop_dead_branches(target: IcebergTable) -> None:
    """Branches of runs that died: what they held was never published."""
    for branch in target.refs("BRANCH"):
        if branch != "main":
            target.drop_branch(branch)


@dataclass(frozen=True)
class Computation:
    """New rows of a model. `whole`: they are all its rows; otherwise those of `keys`."""

    keys: DataFrame
    keys_count: int
    rows: DataFrame
    whole: bool
    placeholders: Mapping[str, str]


def _compute(
    run: Run,
    model: Model,
    inputs: SilverInputs,
    target: IcebergTable,
    seen: Mapping[str, tuple[Seen, ...]],
    full: bool,
) -> Computation:
    """The rows of the keys that changes touch; in a full run every row of silver counts as changed."""
    placeholders: dict[str, str] = {}

    def view(name: str, rows: DataFrame) -> None:
        placeholders[name] = f"gold_{model.name}_{name}"
        rows.createOrReplaceTempView(placeholders[name])

    for model_input in model.inputs:
        rows = inputs.rows(model_input)
        view(model_input.alias, rows)
        view(f"changed_{model_input.alias}", rows if full else inputs.changed(model_input, seen[model_input.alias]))
    keys = (
        run_file(run.spark, run.assets, model.path("keys.sql"), placeholders).select(*model.grain).distinct().persist()
    )
    keys_count = keys.count()
    view("keys", keys)
    rows = run_file(run.spark, run.assets, model.path("load.sql"), placeholders)
    if model.has("finish.sql"):
        if not full:
            untouched = run.spark.table(target.name).select(*rows.columns).join(keys, [*model.grain], "left_anti")
            rows = rows.unionByName(untouched)
        view("measures", rows)
        rows = run_file(run.spark, run.assets, model.path("finish.sql"), placeholders)
    return Computation(keys, keys_count, rows, full or model.has("finish.sql"), placeholders)


def _audit_and_publish(
    run: Run,
    model: Model,
    inputs: SilverInputs,
    target: IcebergTable,
    computation: Computation,
    entry: TableReport,
) -> None:
    entry.rows_in = computation.keys_count
    branch = "run_" + re.sub(r"\W", "_", run.arguments.run_id)
    target.create_branch(branch)
    _merge(run, model, target, branch, computation, entry.batch or 0)
    faults.reached("gold.merged")
    summary = target.summary(branch)
    entry.checks += _checks(run, model, target.on(branch), computation.placeholders)
    failed = entry.failed_checks()
    if failed:
        target.drop_branch(branch)
        entry.held = f"failed: {', '.join(c.name for c in failed)}"
        return
    inputs.claim(model)
    target.publish(branch)
    faults.reached("gold.published_one")
    inputs.acknowledge(model)
    entry.published = True
    entry.rows_out = sum(int(summary.get(f"spark.merge-into.num-target-rows-{what}", 0)) for what in _CHANGES)
    entry.total_rows = int(summary.get("total-records", 0)) - int(summary.get("total-position-deletes", 0))
    entry.snapshot_id = str(target.snapshot_id())


_CHANGES = ("inserted", "matched-updated", "matched-deleted", "not-matched-by-source-deleted")


def _merge(run: Run, model: Model, target: IcebergTable, branch: str, computation: Computation, batch: int) -> None:
    """Makes the branch hold the new rows; a row whose values are the same is left as it is."""
    values = [c for c in computation.rows.columns if c not in model.grain]
    _check_columns(run, model, target, [*model.grain, *values])
    source = f"gold_{model.name}_rows"
    computation.rows.createOrReplaceTempView(source)
    grain = [quoted(c) for c in model.grain]
    if computation.whole:
        rows = f"SELECT *, TRUE AS _present, {', '.join(f'{g} AS _key_{i}' for i, g in enumerate(grain))} FROM {source}"
        vanished = "WHEN NOT MATCHED BY SOURCE THEN DELETE"
    else:
        on = " AND ".join(f"k.{g} = r.{g}" for g in grain)
        keys = ", ".join(f"k.{g} AS _key_{i}" for i, g in enumerate(grain))
        rows = (
            f"SELECT r.*, r.{grain[0]} IS NOT NULL AS _present, {keys} "
            f"FROM {computation.placeholders['keys']} AS k LEFT JOIN {source} AS r ON {on}"
        )
        vanished = "WHEN MATCHED AND NOT s._present THEN DELETE"
    stamps = {"_batch": str(batch), "processed_at": f"TIMESTAMP {literal(utc_text(run.started_at))}"}
    columns = [*(quoted(c) for c in (*model.grain, *values)), *stamps]
    differs = " OR ".join(f"NOT (t.{quoted(c)} <=> s.{quoted(c)})" for c in values)
    assignments = [f"t.{quoted(c)} = s.{quoted(c)}" for c in values] + [f"t.{c} = {v}" for c, v in stamps.items()]
    inserted = [*(f"s.{quoted(c)}" for c in (*model.grain, *values)), *stamps.values()]
    run.spark.sql(
        f"MERGE INTO {target.on(branch)} AS t USING ({rows}) AS s "
        f"ON {' AND '.join(f't.{g} = s._key_{i}' for i, g in enumerate(grain))} "
        f"{vanished if not computation.whole else ''} "
        f"WHEN MATCHED AND ({differs}) THEN UPDATE SET {', '.join(assignments)} "
        f"WHEN NOT MATCHED AND s._present THEN INSERT ({', '.join(columns)}) VALUES ({', '.join(inserted)}) "
        f"{vanished if computation.whole else ''}"
    )


def _check_columns(run: Run, model: Model, target: IcebergTable, columns: Sequence[str]) -> None:
    has = set(run.spark.table(target.name).columns) - set(STAMPS)
    if set(columns) != has:
        raise ModelError(
            f"{model.path('')} gives columns ({', '.join(sorted(set(columns) - has))}) that {target.bare} lacks, and "
            f"lacks ({', '.join(sorted(has - set(columns)))}) of it: change load.sql or finish.sql, or ALTER TABLE. "
            "Dropping the table is safe too: the next run makes it anew from silver"
        )


def _checks(run: Run, model: Model, audited: str, placeholders: Mapping[str, str]) -> list[Check]:
    """The model's checks on the audited rows, all in one query."""
    sql = render(
        run.assets.text(model.path("checks.sql")), {**placeholders, "target": audited}, model.path("checks.sql")
    )
    query = " UNION ALL ".join(
        f"SELECT name, severity, CAST(value AS DOUBLE), `limit` FROM ({s})" for s in statements(sql)
    )
    return [Check(r[0], r[1], r[2], r[3]) for r in run.spark.sql(query).collect()]


def _make_view(run: Run, model: Model, target: IcebergTable) -> None:
    """The view of view.sql where the catalog keeps views."""
    if model.has("view.sql") and run.spark.conf.get(f"spark.sql.catalog.{CATALOG}.type", "") in VIEW_CATALOGS:
        view = run.table(f"{target.bare}_today").name
        sql = render(run.assets.text(model.path("view.sql")), {"target": target.name}, model.path("view.sql"))
        run.spark.sql(f"CREATE OR REPLACE VIEW {view} AS {statements(sql)[0]}")

"""Gold: every model of sql/gold computed for the grain keys that silver's changes touch, audited, then published."""

import hashlib
import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from lakehouse import faults
from lakehouse.checks import file_checks
from lakehouse.gold_inputs import SilverInputs, silver_inputs
from lakehouse.gold_model import Model, load_models
from lakehouse.gold_rows import Computation, compute
from lakehouse.gold_write import write_rows
from lakehouse.iceberg import IcebergTable, table_properties
from lakehouse.names import CATALOG
from lakehouse.report import Check, Report, TableReport
from lakehouse.run import Run
from lakehouse.sqlfile import render, run_file, statements

# Catalogs of Iceberg 1.11 that keep views; GlueCatalog does not (docs/decisions/020-views-on-gold.md).
VIEW_CATALOGS = ("jdbc", "rest")
# Models side by side. Planning and waiting for the catalog are most of a small run.
WORKERS = 4

_MODEL = "lakehouse.model-version"
_VIEW = "lakehouse.view-version"


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
        entry.held = inputs.held(model)
        missing = inputs.missing(model)
        if missing:
            detail = f"no silver table yet: {', '.join(missing)}"
            entry.checks.append(Check("inputs_exist", "warn", len(missing), 0, detail))
        if not entry.held and not missing:
            _bring_up(run, model, inputs, target, entry)
    except Exception as error:
        entry.held = f"{type(error).__name__}: {error}"[:2000]
    entry.duration_ms = int((time.monotonic() - started) * 1000)
    return entry


def _bring_up(run: Run, model: Model, inputs: SilverInputs, target: IcebergTable, entry: TableReport) -> None:
    """Computes what changed, writes it to a branch, audits it there and publishes it."""
    entry.batch = max(inputs.state(i).batch for i in model.inputs)
    seen = {i.alias: inputs.seen(model, i) for i in model.inputs}
    properties = _made(run, model, target)
    _keep_view(run, model, target, properties)
    full = run.arguments.full or properties.get(_MODEL) != model.version or not all(seen.values())
    if not full and not any(inputs.is_new(i, seen[i.alias]) for i in model.inputs):
        return
    _drop_dead_branches(target)
    with compute(run, model, inputs, target, seen, full) as computation:
        entry.rows_in = computation.keys_count
        if computation.keys_count == 0 and not full:
            inputs.claim(model)
        elif not _audited_and_published(run, model, inputs, target, computation, entry):
            return
    if full:
        target.set_properties({_MODEL: model.version})
    inputs.acknowledge(model)


def _audited_and_published(
    run: Run, model: Model, inputs: SilverInputs, target: IcebergTable, computation: Computation, entry: TableReport
) -> bool:
    """Whether main has the new rows now; when a check fails it keeps the old ones, and the entry says why."""
    branch = "run_" + re.sub(r"\W", "_", run.arguments.run_id)
    target.create_branch(branch)
    entry.rows_out = write_rows(run, model, target, branch, computation, entry.batch or 0)
    faults.reached("gold.merged")
    entry.checks += _audit(run, model, target.on(branch), computation)
    failed = ", ".join(c.name for c in entry.failed_checks())
    if failed:
        target.drop_branch(branch)
        entry.held = f"failed: {failed}"
        return False
    summary = target.summary(branch)
    inputs.claim(model)
    target.publish(branch)
    faults.reached("gold.published_one")
    entry.published = True
    entry.snapshot_id = summary["snapshot-id"]
    entry.total_rows = int(summary.get("total-records", 0)) - int(summary.get("total-position-deletes", 0))
    return True


def _audit(run: Run, model: Model, audited: str, computation: Computation) -> list[Check]:
    """checks.sql on every run; full_checks.sql, which reads whole silver tables, when everything was computed."""
    files = ["checks.sql", *(["full_checks.sql"] if computation.full and model.has("full_checks.sql") else [])]
    placeholders = {**computation.placeholders, "target": audited}
    return [c for file in files for c in file_checks(run.spark, run.assets, model.path(file), placeholders)]


def _made(run: Run, model: Model, target: IcebergTable) -> Mapping[str, str]:
    """The target's properties; the table is made when it is missing."""
    if not target.exists():
        placeholders = {"target": target.name, "properties": table_properties()}
        run_file(run.spark, run.assets, model.path("create.sql"), placeholders)
    return target.properties()


def _drop_dead_branches(target: IcebergTable) -> None:
    """Branches of runs that died: what they held was never published."""
    for branch in target.refs("BRANCH"):
        if branch != "main":
            target.drop_branch(branch)


def _keep_view(run: Run, model: Model, target: IcebergTable, properties: Mapping[str, str]) -> None:
    """The view of view.sql, made anew when its text changes, where the catalog keeps views."""
    if not model.has("view.sql") or run.spark.conf.get(f"spark.sql.catalog.{CATALOG}.type", "") not in VIEW_CATALOGS:
        return
    path = model.path("view.sql")
    select = statements(render(run.assets.text(path), {"target": target.name}, path))[0]
    version = hashlib.sha256(select.encode()).hexdigest()
    if properties.get(_VIEW) != version:
        run.spark.sql(f"CREATE OR REPLACE VIEW {run.table(f'{target.bare}_today').name} AS {select}")
        target.set_properties({_VIEW: version})

"""What every layer gets: the job's arguments turned into a session, names, the registry and stores."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from pyspark.sql import SparkSession

from lakehouse.documents import read_document
from lakehouse.iceberg import IcebergTable
from lakehouse.names import Names
from lakehouse.registry import Registry, registry_of
from lakehouse.report import ObjectStore, Report
from lakehouse.sqlfile import Assets
from lakehouse.storage import S3Store, open_assets

REQUIRED = ("layer", "run_id", "project", "stage", "bucket", "lake_root", "assets")
OPTIONAL = ("tables", "models", "full", "retention_days", "budget_minutes")
LAYERS = ("bronze", "silver", "gold", "maintenance")


@dataclass(frozen=True)
class Arguments:
    """The job's arguments. `tables` and `models` narrow a run (empty: all); `full` recomputes gold from nothing.

    Of maintenance: how long the lake can be read as it was, and how long it may take before it leaves tables for later.
    """

    layer: str
    run_id: str
    project: str
    stage: str
    bucket: str
    lake_root: str
    assets: str
    tables: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    full: bool = False
    retention_days: float = 7
    budget_minutes: float = 30


def parse_arguments(argv: Sequence[str]) -> Arguments:
    """Arguments of a Glue job (`--name value`), through getResolvedOptions where Glue has it.

    Raises SystemExit that names a missing argument.
    """
    present = [name for name in OPTIONAL if f"--{name}" in argv]
    try:
        from awsglue.utils import getResolvedOptions  # pyright: ignore[reportMissingImports]

        values: Mapping[str, str] = getResolvedOptions(list(argv), [*REQUIRED, *present])
    except ImportError:
        parser = argparse.ArgumentParser(prog="job.py")
        for name in REQUIRED:
            parser.add_argument(f"--{name}", required=True)
        for name in OPTIONAL:
            parser.add_argument(f"--{name}", default="")
        values = vars(parser.parse_known_args(argv[1:])[0])
    return arguments(values)


def arguments(values: Mapping[str, str]) -> Arguments:
    """Typed arguments from their texts. Raises ValueError that names a wrong one."""
    if values["layer"] not in LAYERS:
        raise ValueError(f"--layer is {values['layer']!r}: use {', '.join(LAYERS[:-1])} or {LAYERS[-1]}")
    return Arguments(
        layer=values["layer"],
        run_id=values["run_id"],
        project=values["project"],
        stage=values["stage"],
        bucket=values["bucket"],
        lake_root=values["lake_root"].rstrip("/"),
        assets=values["assets"],
        tables=_list(values.get("tables", "")),
        models=_list(values.get("models", "")),
        full=values.get("full", "").lower() == "true",
        retention_days=_positive(values, "retention_days", Arguments.retention_days),
        budget_minutes=_positive(values, "budget_minutes", Arguments.budget_minutes),
    )


def _positive(values: Mapping[str, str], name: str, default: float) -> float:
    text = values.get(name) or str(default)
    try:
        number = float(text)
    except ValueError:
        number = -1
    if number > 0:
        return number
    raise ValueError(f"--{name} is {text!r}: use a number above 0")


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


@dataclass(frozen=True)
class Run:
    """One layer of one run."""

    spark: SparkSession
    arguments: Arguments
    names: Names
    registry: Registry
    assets: Assets
    store: ObjectStore
    started_at: datetime

    def table(self, bare: str) -> IcebergTable:
        """An Iceberg table of this lake by its bare name."""
        return IcebergTable(self.spark, self.names.database, bare)

    def layer_table(self, layer: str, table_id: str) -> IcebergTable:
        """The table of a layer, e.g. ('silver', 'public.orders')."""
        return self.table(self.names.table(layer, table_id))

    def engine_table(self, name: str) -> IcebergTable:
        """One of the engine's own tables, e.g. 'landed'."""
        return self.table(self.names.engine_table(name))

    def new_report(self) -> Report:
        """An empty report of this run and layer."""
        a = self.arguments
        return Report(a.run_id, a.layer, a.project, a.stage, self.started_at)


def open_run(spark: SparkSession, args: Arguments, store: ObjectStore | None = None) -> Run:
    """The run of these arguments. Raises FileNotFoundError when assets hold no tables.yml."""
    assets = open_assets(args.assets)
    return Run(
        spark=spark,
        arguments=args,
        names=Names(args.project, args.stage),
        registry=registry_of(read_document(assets, "tables.yml")),
        assets=assets,
        store=store or S3Store(args.bucket),
        started_at=datetime.now(timezone.utc),
    )


def command_line() -> Arguments:
    """The arguments of this process."""
    return parse_arguments(sys.argv)

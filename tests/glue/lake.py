"""A lake in a scratch folder for one test: its landing zone, its runs, its tables."""

import gzip
import importlib
import itertools
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pyspark.sql import Row, SparkSession

from lakehouse.registry import parse_registry
from lakehouse.report import Report, StoredObject
from lakehouse.run import Arguments, Run, open_run
from lakehouse.storage import FolderAssets

Pack = Mapping[str, Any]


class FolderStore:
    """ObjectStore on a folder: what S3 shows of the twin's lake."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, key: str, body: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def get(self, key: str) -> bytes | None:
        path = self.root / key
        return path.read_bytes() if path.is_file() else None

    def list(self, prefix: str, start_after: str = "") -> list[StoredObject]:
        files = (p for p in self.root.rglob("*") if p.is_file())
        keys = sorted((p.relative_to(self.root).as_posix(), p) for p in files)
        return [
            StoredObject(key, datetime.fromtimestamp(path.stat().st_mtime, timezone.utc), path.stat().st_size)
            for key, path in keys
            if key.startswith(prefix) and key > start_after
        ]


class Lake:
    """A lake of stage `stage` under `folder`."""

    def __init__(self, spark: SparkSession, stage: str, folder: Path, tables_yml: str, root: Path) -> None:
        self.spark = spark
        self.stage = stage
        self.bucket = folder / "bucket"
        self.bucket.mkdir(parents=True)
        self.store = FolderStore(self.bucket)
        self.assets = folder / "assets"
        self.assets.mkdir()
        (self.assets / "sql").symlink_to(root / "sql")
        self.set_tables(tables_yml)
        self._runs = itertools.count(1)
        self._files = itertools.count(1)

    def set_tables(self, tables_yml: str) -> None:
        """Replaces the registry of later runs."""
        (self.assets / "tables.yml").write_text(tables_yml)

    def run(self, layer: str = "bronze", **changes: Any) -> Run:
        """A run of a layer; `changes` replace its Arguments, e.g. run_id, tables, full."""
        registry = parse_registry(FolderAssets(self.assets).text("tables.yml"))
        arguments = Arguments(
            layer=layer,
            run_id=f"run-{next(self._runs)}",
            project=registry.project,
            stage=self.stage,
            bucket="lake",
            lake_root=self.bucket.as_uri(),
            assets=str(self.assets),
        )
        return open_run(self.spark, replace(arguments, **changes), self.store)

    def bronze(self, **changes: Any) -> Report:
        """Runs bronze on what has landed."""
        return self.run_layer("bronze", **changes)

    def run_layer(self, layer: str, **changes: Any) -> Report:
        """Runs a layer; its report. `changes` replace the run's Arguments."""
        run = self.run(layer, **changes)
        report = run.new_report()
        importlib.import_module(f"lakehouse.{layer}").run(run, report)
        return report

    def land(self, *packs: Pack, name: str | None = None, at: datetime | None = None) -> str:
        """Writes packs (of one table) as a landing file; its key. `at` is the hour's prefix, now without it."""
        lines = "".join(json.dumps(pack, ensure_ascii=False, separators=(",", ":")) + "\n" for pack in packs)
        return self.land_bytes(packs[0]["table"], gzip.compress(lines.encode(), mtime=0), name, at)

    def land_bytes(self, table_id: str, body: bytes, name: str | None = None, at: datetime | None = None) -> str:
        """Writes a landing file as it is; its key."""
        hour = (at or datetime.now(timezone.utc)).strftime("%Y/%m/%d/%H")
        key = f"landing/{table_id}/{hour}/{name or f'file-{next(self._files):05}.gz'}"
        self.store.put(key, body)
        return key

    def age(self, key: str, seconds: float) -> None:
        """Makes a landed file that much older."""
        then = datetime.now(timezone.utc).timestamp() - seconds
        os.utime(self.bucket / key, (then, then))

    def name(self, layer: str, table_id: str = "") -> str:
        """Full name of a table for SQL: ('silver', 'public.orders'), or of an engine table: ('landed',)."""
        run = self.run()
        return (run.layer_table(layer, table_id) if table_id else run.engine_table(layer)).name

    def sql(self, query: str) -> list[Row]:
        """Rows of a query."""
        return self.spark.sql(query).collect()

    def rows(self, layer: str, table_id: str = "", columns: Iterable[str] = ("*",), order: str = "1") -> list[Row]:
        """Rows of a table of the lake."""
        return self.sql(f"SELECT {', '.join(columns)} FROM {self.name(layer, table_id)} ORDER BY {order}")

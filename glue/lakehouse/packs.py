"""Landing files as packs: read leniently, checked one by one, nothing dropped (docs/architecture.md, Pack)."""

import gzip
import io
import logging
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlparse

from py4j.protocol import Py4JJavaError
from pyspark import StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame

from lakehouse.landed import Partition
from lakehouse.offsets import Interval
from lakehouse.run import Run
from lakehouse.sqlfile import run_file

log = logging.getLogger("lakehouse")

LINES = "bronze_lines"
PACKS = "bronze_packs"
"""The temporary views of a run: its lines, and its packs, cached."""

_KEY_OF_FILE = r"regexp_extract(url_decode(replace(_metadata.file_path, '+', '%2B')), '^.*/(landing/.*)$', 1)"
_CHUNK = 1 << 20
_SPARK_FAILED = (PySparkException, Py4JJavaError)  # a task's failure comes as the latter


@dataclass(frozen=True)
class Pack:
    """What is known of a pack that can be taken, without its events."""

    pack_id: str
    src_file: str
    line: int
    table_id: str
    partition: Partition
    interval: Interval
    events: int
    quarantined: int
    schema_id: str | None
    landed_at: str | None
    high_lsn: int | None


@dataclass(frozen=True)
class WrongPack:
    """A pack or a line that can't be taken, and why."""

    src_file: str
    table_id: str
    problem: str


@dataclass
class LandedPacks:
    """The packs of some landing files; their rows are the view PACKS until `release`."""

    rows: DataFrame
    packs: Sequence[Pack]
    wrong: Sequence[WrongPack]
    unreadable: dict[str, str]
    """Files that can't be read, and why."""

    def release(self) -> None:
        """Gives the cache back."""
        self.rows.unpersist()


def read_packs(run: Run, keys: Sequence[str]) -> LandedPacks:
    """Reads and checks every pack of these landing files. A file that can't be read is named, and stops no other."""
    unreadable: dict[str, str] = {}
    while True:
        readable = [key for key in keys if key not in unreadable]
        rows = _pack_rows(run, readable).persist(StorageLevel.MEMORY_AND_DISK)
        rows.createOrReplaceTempView(PACKS)
        try:
            packs, wrong = _facts(run)
            return LandedPacks(rows, packs, wrong, unreadable)
        except _SPARK_FAILED:
            rows.unpersist()
            broken = _broken_files(run, readable)
            if not broken:
                raise
            log.warning("%d landing files can't be read and go to quarantine", len(broken))
            unreadable.update(broken)


def _pack_rows(run: Run, keys: Sequence[str]) -> DataFrame:
    _lines(run, keys).createOrReplaceTempView(LINES)
    return run_file(run.spark, run.assets, "sql/bronze/packs.sql", {"lines": LINES})


def _lines(run: Run, keys: Sequence[str]) -> DataFrame:
    """Every line with its file and a number that grows along the file."""
    if not keys:
        return run.spark.sql("SELECT '' AS src_file, 0L AS line_id, '' AS value")
    root = _path_for_spark(run.arguments.lake_root)
    return run.spark.read.text([f"{root}/{_without_globs(key)}" for key in keys]).selectExpr(
        f"{_KEY_OF_FILE} AS src_file", "monotonically_increasing_id() AS line_id", "value"
    )


def _path_for_spark(lake_root: str) -> str:
    """Spark takes paths, not URIs: a file URI's %20 is a space."""
    parsed = urlparse(lake_root)
    return "file:" + unquote(parsed.path) if parsed.scheme == "file" else lake_root


def _without_globs(key: str) -> str:
    return re.sub(r"([\\*?\[\]{}])", r"\\\1", key)


def _facts(run: Run) -> tuple[list[Pack], list[WrongPack]]:
    rows = run_file(run.spark, run.assets, "sql/bronze/pack_facts.sql", {"packs": PACKS}).collect()
    first_lines: dict[str, int] = {}
    for row in rows:
        first_lines[row.src_file] = min(row.line_id, first_lines.get(row.src_file, row.line_id))
    packs, wrong = [], []
    for row in sorted(rows, key=lambda r: (r.src_file, r.line_id, r.position)):
        if row.problem is not None:
            wrong.append(WrongPack(row.src_file, row.table_id, row.problem))
            continue
        packs.append(
            Pack(
                pack_id=row.pack_id,
                src_file=row.src_file,
                line=row.line_id - first_lines[row.src_file] + 1,
                table_id=row.table_id,
                partition=Partition(row.table_id, row.epoch, row.cluster, row.topic, row.kafka_partition),
                interval=(row.from_offset, row.to_offset),
                events=row.events,
                quarantined=row.quarantined,
                schema_id=row.schema_id,
                landed_at=row.landed_at,
                high_lsn=row.high_lsn,
            )
        )
    return packs, wrong


def _broken_files(run: Run, keys: Sequence[str]) -> dict[str, str]:
    """Which of these files can't be read, and why: the gzip itself is wrong, or Spark fails on that file alone."""
    broken: dict[str, str] = {}
    for key in keys:
        body = run.store.get(key)
        reason = "the object has gone" if body is None else _gzip_error(key, body)
        if reason:
            broken[key] = reason
    return broken or {key: reason for key in keys if (reason := _spark_error(run, key))}


def _gzip_error(key: str, body: bytes) -> str | None:
    if not key.endswith(".gz"):
        return None
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
            while file.read(_CHUNK):
                pass
    except (OSError, EOFError, zlib.error) as error:
        return f"not a whole gzip file of {len(body)} bytes: {error}"
    return None


def _spark_error(run: Run, key: str) -> str | None:
    try:
        _lines(run, [key]).selectExpr("max(length(value))").collect()
    except _SPARK_FAILED as error:
        return f"Spark can't read it: {str(error)[:500]}"
    return None

"""Iceberg branches, tags and snapshots of one table: what write-audit-publish is made of.

Branches go by name (`t.branch_x`): spark.wap.branch writes main without a word when a table property is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from pyspark.sql import DataFrame, SparkSession

from lakehouse.names import CATALOG, literal, quoted

TABLE_PROPERTIES = {
    "format-version": "2",  # Athena reads no v3
    "write.delete.mode": "merge-on-read",
    "write.update.mode": "merge-on-read",
    "write.merge.mode": "merge-on-read",
    "write.distribution-mode": "none",
    "write.merge.distribution-mode": "none",
    "write.parquet.compression-codec": "zstd",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "history.expire.max-ref-age-ms": "9223372036854775807",
}


def table_properties() -> str:
    """TABLE_PROPERTIES as the list inside TBLPROPERTIES (...)."""
    return ", ".join(f"{literal(k)} = {literal(v)}" for k, v in TABLE_PROPERTIES.items())


@dataclass(frozen=True)
class IcebergTable:
    """One table: `database` and `bare` unquoted.

    Refs and summaries are read and changed through Iceberg's Java API: metadata alone, no Spark job (10 ms, not 100).
    """

    spark: SparkSession
    database: str
    bare: str

    @property
    def name(self) -> str:
        """The table for SQL."""
        return f"{CATALOG}.{quoted(self.database)}.{quoted(self.bare)}"

    def on(self, branch: str) -> str:
        """The table on a branch, for SQL; the branch must exist."""
        return f"{self.name}.{quoted('branch_' + branch)}"

    def exists(self) -> bool:
        """Whether the catalog knows the table."""
        return self.spark.catalog.tableExists(self.name)

    def java(self) -> Any:
        """The table as org.apache.iceberg.Table, loaded anew."""
        spark3 = cast(Any, self.spark)._jvm.org.apache.iceberg.spark.Spark3Util
        return spark3.loadIcebergTable(cast(Any, self.spark)._jsparkSession, self.name)

    def refs(self, kind: str) -> dict[str, int]:
        """Snapshot ids by name of every 'BRANCH' or 'TAG'."""
        found = self.java().refs()
        refs = {name: found.get(name) for name in self._texts(found.keySet())}
        return {name: ref.snapshotId() for name, ref in refs.items() if str(ref.type()) == kind}

    def snapshot_id(self, branch: str = "main") -> int | None:
        """The newest snapshot of a branch; None for a table without rows ever."""
        return self.refs("BRANCH").get(branch)

    def summary(self, branch: str = "main") -> dict[str, str]:
        """The newest snapshot's summary of a branch ('total-records', 'added-records' ...) and its 'snapshot-id'.

        {} without a snapshot.
        """
        snapshot = self.java().snapshot(branch)
        if snapshot is None:
            return {}
        summary = snapshot.summary()
        known = dict(zip(self._texts(summary.keySet()), self._texts(summary.values()), strict=True))
        return {**known, "snapshot-id": str(snapshot.snapshotId())}

    def create_branch(self, branch: str) -> None:
        """Makes the branch at main's newest snapshot, replacing one of that name."""
        table = self.java()
        main = table.currentSnapshot()
        change = table.manageSnapshots()
        if table.refs().containsKey(branch):
            change = change.removeBranch(branch)
        (change.createBranch(branch, main.snapshotId()) if main is not None else change.createBranch(branch)).commit()

    def drop_branch(self, branch: str) -> None:
        """Drops a branch; nothing happens when there is none."""
        table = self.java()
        if table.refs().containsKey(branch):
            table.manageSnapshots().removeBranch(branch).commit()

    def fast_forward(self, branch: str) -> None:
        """Publishes: main becomes the branch. Raises when main has moved since the branch was made."""
        self.java().manageSnapshots().fastForwardBranch("main", branch).commit()

    def publish(self, branch: str) -> None:
        """Fast-forwards main to the branch and drops the branch, in one commit. Raises as fast_forward does."""
        self.java().manageSnapshots().fastForwardBranch("main", branch).removeBranch(branch).commit()

    def publish_append(self, branch: str) -> None:
        """Publishes a branch of one append even when main has moved since: the append is made again on top of it."""
        table = self.java()
        main, append = table.snapshot("main"), table.snapshot(branch)
        if main is None or append.parentId() == main.snapshotId():
            self.publish(branch)
        else:
            table.manageSnapshots().cherrypick(append.snapshotId()).removeBranch(branch).commit()

    def tag(self, tag: str, snapshot_id: int) -> None:
        """Makes or moves a tag to a snapshot."""
        table = self.java()
        change = table.manageSnapshots()
        exists = table.refs().containsKey(tag)
        (change.replaceTag(tag, snapshot_id) if exists else change.createTag(tag, snapshot_id)).commit()

    def drop_tag(self, tag: str) -> None:
        """Drops a tag; nothing happens when there is none."""
        table = self.java()
        if table.refs().containsKey(tag):
            table.manageSnapshots().removeTag(tag).commit()

    def properties(self) -> dict[str, str]:
        """The table's properties."""
        properties = self.java().properties()
        return dict(zip(self._texts(properties.keySet()), self._texts(properties.values()), strict=True))

    def set_properties(self, values: Mapping[str, str]) -> None:
        """Sets table properties in one commit."""
        change = self.java().updateProperties()
        for key, value in values.items():
            change = change.set(key, value)
        change.commit()

    def _texts(self, java_strings: Any) -> list[str]:
        """A Java collection of strings in one call; Python's iteration over it makes three for each."""
        joined = cast(Any, self.spark)._jvm.java.lang.String.join("\0", java_strings)
        return joined.split("\0") if joined else []

    def at(self, snapshot_id: int) -> DataFrame:
        """The rows as of a snapshot."""
        return self.spark.read.option("versionAsOf", str(snapshot_id)).table(self.name)


@dataclass(frozen=True)
class Consumed:
    """How far a consumer has read an input: everything with `_batch` <= batch, seen at that snapshot."""

    batch: int
    snapshot_id: int


def consumed(table: IcebergTable, consumer: str) -> Consumed | None:
    """What `consumer` has read of the table, from its tag `<consumer>_b<batch>`; None at first."""
    prefix = f"{consumer}_b"
    found = [
        Consumed(int(name[len(prefix) :]), snapshot_id)
        for name, snapshot_id in table.refs("TAG").items()
        if name.startswith(prefix) and name[len(prefix) :].isdigit()
    ]
    return max(found, key=lambda c: c.batch, default=None)


def mark_consumed(table: IcebergTable, consumer: str, now: Consumed) -> None:
    """Moves the consumer's tag. The new tag is made before older ones go, so a crash between leaves the newer."""
    prefix = f"{consumer}_b"
    table.tag(f"{prefix}{now.batch}", now.snapshot_id)
    for name in table.refs("TAG"):
        if name.startswith(prefix) and name[len(prefix) :].isdigit() and int(name[len(prefix) :]) != now.batch:
            table.drop_tag(name)

"""Iceberg branches, tags and snapshots of one table: what write-audit-publish is made of.

Branches go by name (`t.branch_x`): spark.wap.branch writes main without a word when a table property is missing.
"""

from dataclasses import dataclass

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
    "history.expire.max-ref-age-ms": "9223372036854775807",
}


def table_properties() -> str:
    """TABLE_PROPERTIES as the list inside TBLPROPERTIES (...)."""
    return ", ".join(f"{literal(k)} = {literal(v)}" for k, v in TABLE_PROPERTIES.items())


@dataclass(frozen=True)
class IcebergTable:
    """One table: `database` and `bare` unquoted."""

    spark: SparkSession
    database: str
    bare: str

    @property
    def name(self) -> str:
        """The table for SQL."""
        return f"{CATALOG}.{quoted(self.database)}.{quoted(self.bare)}"

    def on(self, branch: str) -> str:
        """The table on a branch (or a tag), for SQL."""
        return f"{self.name}.{quoted('branch_' + branch)}"

    def exists(self) -> bool:
        """Whether the catalog knows the table."""
        return self.spark.catalog.tableExists(f"{CATALOG}.{quoted(self.database)}.{quoted(self.bare)}")

    def refs(self, kind: str) -> dict[str, int]:
        """Snapshot ids by name of every 'BRANCH' or 'TAG'."""
        rows = self.spark.sql(f"SELECT name, snapshot_id FROM {self.name}.refs WHERE type = {literal(kind)}")
        return {row["name"]: row["snapshot_id"] for row in rows.collect()}

    def snapshot_id(self, branch: str = "main") -> int | None:
        """The newest snapshot of a branch; None for a table without rows ever."""
        return self.refs("BRANCH").get(branch)

    def create_branch(self, branch: str) -> None:
        """Makes the branch at main's newest snapshot, replacing one of that name."""
        self.spark.sql(f"ALTER TABLE {self.name} CREATE OR REPLACE BRANCH {quoted(branch)}")

    def drop_branch(self, branch: str) -> None:
        """Drops a branch; nothing happens when there is none."""
        self.spark.sql(f"ALTER TABLE {self.name} DROP BRANCH IF EXISTS {quoted(branch)}")

    def fast_forward(self, branch: str) -> None:
        """Publishes: main becomes the branch. Raises when main has moved since the branch was made."""
        table = literal(f"{quoted(self.database)}.{quoted(self.bare)}")
        self.spark.sql(
            f"CALL {CATALOG}.system.fast_forward(table => {table}, branch => 'main', to => {literal(branch)})"
        ).collect()

    def tag(self, tag: str, snapshot_id: int) -> None:
        """Makes or moves a tag to a snapshot."""
        self.spark.sql(f"ALTER TABLE {self.name} CREATE OR REPLACE TAG {quoted(tag)} AS OF VERSION {snapshot_id}")

    def drop_tag(self, tag: str) -> None:
        """Drops a tag; nothing happens when there is none."""
        self.spark.sql(f"ALTER TABLE {self.name} DROP TAG IF EXISTS {quoted(tag)}")

    def at(self, snapshot_id: int) -> DataFrame:
        """The rows as of a snapshot."""
        return self.spark.read.option("snapshot-id", str(snapshot_id)).table(self.name)


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

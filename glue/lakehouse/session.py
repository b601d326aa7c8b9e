"""The Spark session: settings that both worlds share, and the local catalog."""

from collections.abc import Mapping
from pathlib import Path

from pyspark.sql import SparkSession

from lakehouse.names import CATALOG

SHARED: Mapping[str, str] = {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    f"spark.sql.catalog.{CATALOG}": "org.apache.iceberg.spark.SparkCatalog",
    f"spark.sql.catalog.{CATALOG}.cache-enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "false",
    # Iceberg 1.11 on Spark 4.1 loses parameter markers otherwise (apache/iceberg#16625)
    "spark.sql.legacy.parameterSubstitution.constantsOnly": "true",
}


def glue_session() -> SparkSession:
    """The session inside a Glue job; catalog settings come from the job's --conf."""
    return SparkSession.builder.getOrCreate()


def local_session(
    jars: Path, catalog_db: Path, warehouse: Path, scratch: Path, cores: int, memory: str
) -> SparkSession:
    """A session on this machine: Iceberg's JDBC catalog on SQLite, which takes concurrent commits safely.

    `jars` holds the Iceberg runtime and the SQLite driver, `memory` is the driver's heap, e.g. '1g'. `scratch` is made
    if missing and takes all temporary files: a JVM that is killed leaves its own behind.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    settings = {
        **SHARED,
        f"spark.sql.catalog.{CATALOG}.type": "jdbc",
        f"spark.sql.catalog.{CATALOG}.uri": f"jdbc:sqlite:{catalog_db}?busy_timeout=30000",
        f"spark.sql.catalog.{CATALOG}.jdbc.schema-version": "V1",
        f"spark.sql.catalog.{CATALOG}.warehouse": str(warehouse),
        "spark.driver.extraClassPath": str(jars / "*"),
        "spark.driver.memory": memory,
        # Short jobs on few cores: the optimising compiler would cost more than it gains (half of all CPU time of a
        # cold run of the three layers), and so would a parallel collector's threads.
        # Without it the room for compiled code is 48 MB: full after some twenty runs, and Java then interprets.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m -XX:+UseSerialGC "
        f'-XX:+ExitOnOutOfMemoryError -XX:-UsePerfData -Djava.io.tmpdir="{scratch}"',
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.local.dir": str(scratch),
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.sql.shuffle.partitions": str(cores),
        "spark.default.parallelism": str(cores),
        "spark.sql.adaptive.enabled": "false",
        # A loop of the three layers compiles some 500 classes; Spark keeps 100, so every run compiled all of them.
        "spark.sql.codegen.cache.maxEntries": "4000",
        "spark.scheduler.mode": "FAIR",  # a query does not wait for a job that runs
        # What Spark keeps for a UI that is off: by default the plans of the last 1000 queries, some 100 MB of the heap.
        "spark.sql.ui.retainedExecutions": "5",
        "spark.ui.retainedJobs": "10",
        "spark.ui.retainedStages": "10",
        "spark.ui.retainedTasks": "100",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master(f"local[{cores}]").appName("cdc-lakehouse")
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()

"""The session of this machine."""

from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession


def test_leaves_temporary_files_in_its_scratch_folder_alone(
    spark: SparkSession, session_settings: dict[str, Any]
) -> None:
    scratch: Path = session_settings["scratch"]
    spark.sql("SHOW NAMESPACES IN glue_catalog").collect()  # loads the catalog's native library
    assert list(scratch.glob("sqlite-*"))
    jvm: Any = spark.sparkContext._jvm
    assert jvm.java.lang.System.getProperty("java.io.tmpdir") == str(scratch)

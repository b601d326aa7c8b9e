"""What one table's run keeps while it works: cached rows and views over them, given back together."""

import itertools
from typing import Any, cast

from pyspark.sql import DataFrame, SparkSession

_numbers = itertools.count(1)


class Cache:
    """Keeps rows that are read twice, and names them for SQL."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self._kept: list[DataFrame] = []
        self._views: list[str] = []

    def keep(self, rows: DataFrame) -> DataFrame:
        """The same rows, computed once (by the first action over them), without the plan that they came from.

        With its plan a cached frame is analysed again in every query over it: that was most of a small run's time.
        """
        kept = rows.localCheckpoint(eager=False)
        self._kept.append(kept)
        return kept

    def view(self, rows: DataFrame) -> str:
        """A name under which SQL finds the rows."""
        name = f"silver_rows_{next(_numbers)}"
        rows.createOrReplaceTempView(name)
        self._views.append(name)
        return name

    def sql(self, text: str) -> DataFrame:
        """A query over views."""
        return self._spark.sql(text)

    def release(self) -> None:
        """Gives everything back."""
        for rows in self._kept:
            cast(Any, rows)._jdf.queryExecution().logical().rdd().unpersist(False)
        for name in self._views:
            self._spark.catalog.dropTempView(name)
        self._kept.clear()
        self._views.clear()

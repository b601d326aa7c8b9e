"""Data frames that one table's run keeps in memory, and gives back together."""

from pyspark.sql import DataFrame


class Cache:
    """Keeps what is read twice."""

    def __init__(self) -> None:
        self._kept: list[DataFrame] = []

    def keep(self, rows: DataFrame) -> DataFrame:
        """The same rows, computed once; memory first, then disk."""
        self._kept.append(rows.persist())
        return rows

    def release(self) -> None:
        """Gives everything back."""
        for rows in self._kept:
            rows.unpersist()
        self._kept.clear()

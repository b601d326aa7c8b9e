"""Silver: the source's rows as they are, with their past deletions; a pure function of bronze."""

from lakehouse.silver.layer import run

__all__ = ["run"]

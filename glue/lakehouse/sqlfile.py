"""SQL that lives in files: identifiers by a checked template, values by Spark's named parameter markers."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Protocol

from pyspark.sql import DataFrame, SparkSession

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class Assets(Protocol):
    """Where sql/ and tables.yml of this run lie."""

    def text(self, path: str) -> str:
        """The text of one file, e.g. 'sql/lake/landed.sql'. Raises FileNotFoundError."""
        ...

    def list(self, folder: str) -> list[str]:
        """Every file path under a folder, sorted, e.g. 'sql/gold'."""
        ...


def statements(sql: str) -> list[str]:
    """The statements of a file, comments taken out, split at semicolons outside of quotes."""
    out, current, quote, i = [], [], "", 0
    while i < len(sql):
        c = sql[i]
        if quote:
            current.append(c)
            if c == "\\" and quote != "`" and i + 1 < len(sql):
                current.append(sql[i + 1])
                i += 1
            elif c == quote:
                quote = ""
        elif c in "'\"`":
            quote = c
            current.append(c)
        elif sql.startswith("--", i):
            i = sql.find("\n", i)
            if i < 0:
                break
            current.append("\n")
        elif sql.startswith("/*", i):
            end = sql.find("*/", i)
            if end < 0:
                break
            i = end + 1
        elif c == ";":
            out.append("".join(current).strip())
            current = []
        else:
            current.append(c)
        i += 1
    out.append("".join(current).strip())
    return [s for s in out if s]


def render(sql: str, identifiers: Mapping[str, str], where: str) -> str:
    """Puts quoted identifiers (or SQL fragments made by the engine) in for {placeholders}.

    Raises ValueError that names file and placeholder when one has no value.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in identifiers:
            raise ValueError(f"{where}: {{{name}}} is not known here; known are {', '.join(sorted(identifiers))}")
        return identifiers[name]

    return _PLACEHOLDER.sub(value, sql)


def run_file(
    spark: SparkSession,
    assets: Assets,
    path: str,
    identifiers: Mapping[str, str],
    values: Mapping[str, Any] | None = None,
) -> DataFrame:
    """Runs every statement of a file; answers the last one's rows. Raises RuntimeError naming the file."""
    result: DataFrame | None = None
    for statement in statements(render(assets.text(path), identifiers, path)):
        try:
            result = spark.sql(statement, args=dict(values)) if values else spark.sql(statement)
        except Exception as error:
            raise RuntimeError(f"{PurePosixPath(path)}: {error}") from error
    if result is None:
        raise ValueError(f"{path} holds no statement")
    return result

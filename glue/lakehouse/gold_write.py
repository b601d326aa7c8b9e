"""Writes a model's rows to a branch. A row whose values stay the same keeps its `_batch` and `processed_at`.

Rows that are all the table has replace it: one small file instead of a merge's data and delete files. Rows of some
keys are merged, so that the cost follows the keys.
"""

from collections.abc import Sequence

from pyspark.sql import Observation
from pyspark.sql.functions import expr, lit

from lakehouse.gold_model import STAMPS, Model, ModelError
from lakehouse.gold_rows import Computation
from lakehouse.iceberg import IcebergTable
from lakehouse.names import literal, quoted
from lakehouse.report import utc_text
from lakehouse.run import Run


def write_rows(run: Run, model: Model, target: IcebergTable, branch: str, computation: Computation, batch: int) -> int:
    """Makes the branch, which stands at main, hold the new rows; how many of them are new or changed.

    Raises ModelError when the columns don't fit the table.
    """
    columns = computation.rows.columns
    _check_columns(run, model, target, columns)
    source = f"gold_{model.name}_rows"
    computation.rows.createOrReplaceTempView(source)
    values = [c for c in columns if c not in model.grain]
    stamps = {"_batch": f"{batch}L", "processed_at": f"TIMESTAMP {literal(utc_text(run.started_at))}"}
    if computation.whole:
        return _replace(run, model, target, branch, source, values, stamps)
    return _merge(run, model, target, branch, source, computation.placeholders["keys"], values, stamps)


def _check_columns(run: Run, model: Model, target: IcebergTable, columns: Sequence[str]) -> None:
    has = set(run.spark.table(target.name).columns) - set(STAMPS)
    if set(columns) != has:
        raise ModelError(
            f"{model.path('')} gives columns ({', '.join(sorted(set(columns) - has))}) that {target.bare} lacks, and "
            f"lacks ({', '.join(sorted(has - set(columns)))}) of it: change load.sql or finish.sql, or ALTER TABLE. "
            "Dropping the table is safe too: the next run makes it anew from silver"
        )


def _replace(
    run: Run,
    model: Model,
    target: IcebergTable,
    branch: str,
    source: str,
    values: Sequence[str],
    stamps: dict[str, str],
) -> int:
    on = " AND ".join(f"s.{quoted(c)} = t.{quoted(c)}" for c in model.grain)
    same = " AND ".join(["t._batch IS NOT NULL", *(f"s.{quoted(c)} <=> t.{quoted(c)}" for c in values)])
    stamped = ", ".join(f"IF({same}, t.{stamp}, {value}) AS {stamp}" for stamp, value in stamps.items())
    rows = run.spark.sql(f"SELECT s.*, {stamped} FROM {source} AS s LEFT JOIN {target.name} AS t ON {on}")
    written = Observation()
    changed = expr(f"COUNT_IF(processed_at = {stamps['processed_at']}) AS changed")
    rows.observe(written, changed).writeTo(target.on(branch)).overwrite(lit(True))
    return written.get["changed"]


def _merge(
    run: Run,
    model: Model,
    target: IcebergTable,
    branch: str,
    source: str,
    keys: str,
    values: Sequence[str],
    stamps: dict[str, str],
) -> int:
    grain = [quoted(c) for c in model.grain]
    columns = [quoted(c) for c in (*model.grain, *values)]
    rows = (
        f"SELECT s.*, s.{grain[0]} IS NOT NULL AS _present, {', '.join(f'k.{g} AS _key_{g[1:-1]}' for g in grain)} "
        f"FROM {keys} AS k LEFT JOIN {source} AS s ON {' AND '.join(f'k.{g} = s.{g}' for g in grain)}"
    )
    differs = " OR ".join(f"NOT (t.{quoted(c)} <=> s.{quoted(c)})" for c in values)
    updated = [*(f"t.{quoted(c)} = s.{quoted(c)}" for c in values), *(f"t.{c} = {v}" for c, v in stamps.items())]
    run.spark.sql(
        f"MERGE INTO {target.on(branch)} AS t USING ({rows}) AS s "
        f"ON {' AND '.join(f't.{g} = s._key_{g[1:-1]}' for g in grain)} "
        f"WHEN MATCHED AND NOT s._present THEN DELETE "
        f"WHEN MATCHED AND ({differs}) THEN UPDATE SET {', '.join(updated)} "
        f"WHEN NOT MATCHED AND s._present THEN INSERT ({', '.join([*columns, *stamps])}) "
        f"VALUES ({', '.join([*(f's.{c}' for c in columns), *stamps.values()])})"
    )
    summary = target.summary(branch)
    return sum(
        int(summary.get(f"spark.merge-into.num-target-rows-{what}", 0)) for what in ("inserted", "matched-updated")
    )

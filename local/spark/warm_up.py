"""Lets a fresh JVM load and compile what every run needs, while nobody waits yet."""

import logging
import time
from collections.abc import Callable, Iterator

from pyspark.sql import SparkSession

from lakehouse.names import CATALOG, quoted

NAMESPACE = f"{CATALOG}.{quoted('warm_up')}"
log = logging.getLogger("worker")


def warm_up(spark: SparkSession, idle: Callable[[], bool]) -> None:
    """Runs small statements of every kind on a table of its own; leaves off as soon as `idle` says somebody waits."""
    began = time.monotonic()
    try:
        for statement in _statements():
            if not idle():
                break
            spark.sql(statement).collect()
        spark.sql(f"DROP NAMESPACE IF EXISTS {NAMESPACE} CASCADE").collect()
    except Exception as error:
        log.warning("the warm-up failed, the first run will be slower: %s", str(error)[:500])
    log.info("warm after %.1f s", time.monotonic() - began)


def _statements() -> Iterator[str]:
    table = f"{NAMESPACE}.t"
    yield f"CREATE NAMESPACE IF NOT EXISTS {NAMESPACE}"
    yield f"DROP TABLE IF EXISTS {table} PURGE"
    yield (
        f"CREATE TABLE {table} (id BIGINT, at TIMESTAMP, amount DECIMAL(18, 2), body STRING) USING iceberg "
        "PARTITIONED BY (days(at)) TBLPROPERTIES ('format-version' = '2', 'write.merge.mode' = 'merge-on-read', "
        "'write.distribution-mode' = 'none', 'write.merge.distribution-mode' = 'none')"
    )
    yield (
        f"INSERT INTO {table} SELECT id, TIMESTAMP '2026-01-01', CAST(id AS DECIMAL(18, 2)), "
        "to_json(named_struct('id', id, 'tags', array('a', NULL))) FROM range(100)"
    )
    yield f"ALTER TABLE {table} CREATE OR REPLACE BRANCH b"
    yield f"""
        MERGE INTO {table}.branch_b AS t
        USING (
            SELECT id, max_by(body, at) AS body, sum(amount) AS amount
            FROM (
                SELECT *, row_number() OVER (PARTITION BY id ORDER BY at) AS nth,
                    from_json(body, 'struct<id: bigint, tags: array<string>>') AS parsed
                FROM {table}
            )
            WHERE nth = 1 AND NOT exists(parsed.tags, tag -> tag = 'b')
            GROUP BY id
        ) AS s
        ON t.id = s.id AND t.id BETWEEN 0 AND 50
        WHEN MATCHED THEN UPDATE SET t.body = s.body, t.amount = s.amount
        WHEN NOT MATCHED THEN INSERT (id, at, amount, body) VALUES (s.id, TIMESTAMP '2026-01-02', s.amount, s.body)
    """
    yield f"SELECT count(*), max(b.body) FROM {table}.branch_b AS b LEFT JOIN {table} AS t ON b.id = t.id"
    yield f"CALL {CATALOG}.system.fast_forward('warm_up.t', 'main', 'b')"
    yield f"DROP TABLE {table} PURGE"

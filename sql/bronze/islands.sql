-- Offsets that bronze has taken, as runs without a hole: one row is one run of one partition; `since` is when its
-- first pack was taken, in microseconds since 1970; `batch` is its newest. Files without a pack make rows without
-- offsets.
-- Inputs: {landed}. Rerun: reads only.
WITH packs AS (
    SELECT
        table_id,
        epoch,
        cluster,
        topic,
        partition,
        from_offset,
        to_offset,
        processed_at,
        batch,
        MAX(to_offset) OVER (
            PARTITION BY table_id, epoch, cluster, topic, partition
            ORDER BY from_offset, to_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS covered_to
    FROM {landed}
),

islands AS (
    SELECT
        *,
        SUM(IF(from_offset <= covered_to + 1, 0, 1)) OVER (
            PARTITION BY table_id, epoch, cluster, topic, partition
            ORDER BY from_offset, to_offset
        ) AS island
    FROM packs
)

SELECT
    table_id,
    epoch,
    cluster,
    topic,
    partition,
    MIN(from_offset) AS from_offset,
    MAX(to_offset) AS to_offset,
    UNIX_MICROS(MIN(processed_at)) AS since,
    MAX(batch) AS batch
FROM islands
GROUP BY table_id, epoch, cluster, topic, partition, island;

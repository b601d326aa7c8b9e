-- Bronze rows of one table from a batch's packs: one row is one change event that bronze does not hold yet.
-- before and after are cut out of the payload and printed again by Spark: the same values (a character beyond
-- U+FFFF as its two escapes), while payload keeps the exact text.
-- Inputs: {packs}. Parameters: :table_id, :covered JSON object of offset intervals to leave out by pack,
-- :batch, :processed_at. Rerun: reads only.
WITH open_packs AS (
    SELECT
        pack,
        epoch,
        kafka_partition,
        src_file,
        COALESCE(
            FROM_JSON(:covered, 'map<string, array<struct<from_offset: bigint, to_offset: bigint>>>')[pack_id],
            ARRAY()
        ) AS covered
    FROM {packs}
    WHERE table_id = :table_id AND problem IS NULL
),

events AS (
    SELECT
        open_packs.*,
        exploded.event,
        FROM_JSON(exploded.event.payload, 'before string, after string') AS image
    FROM open_packs
        LATERAL VIEW
        EXPLODE(
            FILTER(
                pack.events,
                e -> NOT EXISTS(covered, c -> CAST(e.offset AS BIGINT) BETWEEN c.from_offset AND c.to_offset)
            )
        ) exploded AS event
)

SELECT
    epoch,
    pack.cluster,
    pack.topic,
    kafka_partition AS partition,
    CAST(event.offset AS BIGINT) AS offset,
    TIMESTAMP_MILLIS(TRY_CAST(event.kafka_ts AS BIGINT)) AS kafka_ts,
    event.op,
    TRY_CAST(event.commit_lsn AS BIGINT) AS commit_lsn,
    TRY_CAST(event.lsn AS BIGINT) AS lsn,
    TRY_CAST(event.tx_id AS BIGINT) AS tx_id,
    TRY_CAST(event.tx_order AS BIGINT) AS tx_order,
    TRY_CAST(event.source_ts AS TIMESTAMP) AS source_ts,
    event.snapshot,
    event.key,
    event.prior_key,
    event.unchanged,
    image.before,
    image.after,
    event.payload,
    pack.schema_id,
    TRY_CAST(pack.landed_at AS TIMESTAMP) AS landed_at,
    src_file,
    CAST(:batch AS BIGINT) AS batch,
    CAST(:processed_at AS TIMESTAMP) AS processed_at
FROM events;

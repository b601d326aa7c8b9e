-- Quarantine rows of a batch: records that the enrichment quarantined and that are not there yet, packs and lines
-- that can't be taken (with their text), and files that can't be read (by name).
-- Inputs: {packs}. Parameters: :covered JSON object of offset intervals to leave out by pack, :unreadable JSON
-- object of files and why, :batch, :processed_at. Rerun: reads only.
WITH open_packs AS (
    SELECT
        *,
        COALESCE(
            FROM_JSON(:covered, 'map<string, array<struct<from_offset: bigint, to_offset: bigint>>>')[pack_id],
            ARRAY()
        ) AS covered
    FROM {packs}
    WHERE problem IS NULL
),

records AS (
    SELECT
        open_packs.*,
        exploded.record
    FROM open_packs
        LATERAL VIEW
        EXPLODE(
            FILTER(
                pack.quarantined,
                q -> NOT EXISTS(covered, c -> CAST(q.offset AS BIGINT) BETWEEN c.from_offset AND c.to_offset)
            )
        ) exploded AS record
),

quarantined AS (
    SELECT
        table_id,
        epoch,
        pack.cluster,
        pack.topic,
        kafka_partition,
        CAST(record.offset AS BIGINT) AS kafka_offset,
        TIMESTAMP_MILLIS(TRY_CAST(record.kafka_ts AS BIGINT)) AS kafka_ts,
        record.reason.code AS reason_code,
        record.reason.message AS reason_message,
        record.key,
        UNBASE64(record.raw_key) AS raw_key,
        UNBASE64(record.raw_value) AS raw_value,
        record.headers,
        src_file
    FROM records

    UNION ALL

    SELECT
        table_id,
        epoch,
        pack.cluster,
        pack.topic,
        kafka_partition,
        NULL AS kafka_offset,
        NULL AS kafka_ts,
        problem AS reason_code,
        CASE problem
            WHEN 'unreadable-line' THEN 'the line is not the JSON of a pack'
            WHEN 'unknown-pack-version' THEN CONCAT('the pack has version ', COALESCE(pack.pack, 'none'), ', not 1')
            WHEN 'wrong-epoch'
                THEN CONCAT('the pack is of epoch ', COALESCE(pack.epoch, 'none'), '; epochs are numbered from 1')
            WHEN 'wrong-table'
                THEN CONCAT(
                    'the pack is of table ', COALESCE(pack.`table`, 'none'),
                    ' and topic ', COALESCE(pack.topic, 'none')
                )
            ELSE 'positions or offsets of the pack are missing or contradict each other'
        END AS reason_message,
        NULL AS key,
        NULL AS raw_key,
        CAST(value AS BINARY) AS raw_value,
        NULL AS headers,
        src_file
    FROM {packs}
    -- value is the whole line: of several packs in it each wrong one is kept with it
    WHERE problem IS NOT NULL

    UNION ALL

    SELECT
        SPLIT(src_file, '/')[1] AS table_id,
        NULL AS epoch,
        NULL AS cluster,
        NULL AS topic,
        NULL AS kafka_partition,
        NULL AS kafka_offset,
        NULL AS kafka_ts,
        'unreadable-file' AS reason_code,
        reason_message,
        NULL AS key,
        NULL AS raw_key,
        NULL AS raw_value,
        NULL AS headers,
        src_file
    FROM (SELECT EXPLODE(FROM_JSON(:unreadable, 'map<string, string>')) AS (src_file, reason_message)) AS files
)

SELECT
    CAST(:batch AS BIGINT) AS batch,
    table_id,
    epoch,
    cluster,
    topic,
    kafka_partition AS partition,
    kafka_offset AS offset,
    kafka_ts,
    reason_code,
    reason_message,
    key,
    raw_key,
    raw_value,
    headers,
    src_file,
    'open' AS state,
    CAST(:processed_at AS TIMESTAMP) AS state_changed_at,
    CAST(:processed_at AS TIMESTAMP) AS processed_at
FROM quarantined;

-- Lines of landing files as packs: one row is one pack, or one line that holds none; `problem` says why a row
-- can't be taken. A line is a pack, packs one after another, a JSON array of packs, or JSON strings that hold
-- these: how a pipe's target joins its records is not documented. A quote closes a JSON string, so the text
-- `}{"pack":` occurs between packs and nowhere else; a JSON array around all of them makes trailing rubbish an
-- error instead of an end.
-- Inputs: {lines} (src_file, line_id, value). Rerun: reads only.
WITH unwrapped AS (
    SELECT
        src_file,
        line_id,
        value,
        IF(
            LTRIM(value) LIKE '"%',
            ARRAY_JOIN(
                FROM_JSON(
                    CONCAT('[', REGEXP_REPLACE(value, '\\}"\\s*"\\{', '}","{'), ']'), 'array<string>'
                ),
                ''
            ),
            value
        ) AS documents
    FROM {lines}
    WHERE TRIM(value) != ''
),

parsed AS (
    SELECT
        src_file,
        line_id,
        value,
        SPLIT(src_file, '/')[1] AS table_id,
        FROM_JSON(
            IF(
                LTRIM(documents) LIKE '[%',
                documents,
                CONCAT('[', REGEXP_REPLACE(documents, '\\}\\s*(?=\\{\\s*"pack"\\s*:)', '},'), ']')
            ),
            'array<struct<
                pack: string, epoch: string, cluster: string, topic: string, `table`: string, partition: string,
                from_offset: string, to_offset: string, schema_id: string,
                columns: array<struct<name: string, type: string, encoding: string>>, landed_at: string,
                events: array<struct<
                    offset: string, kafka_ts: string, op: string, commit_lsn: string, lsn: string, tx_id: string,
                    tx_order: string, source_ts: string, snapshot: string, key: string, prior_key: string,
                    unchanged: array<string>, payload: string>>,
                quarantined: array<struct<
                    offset: string, kafka_ts: string, reason: struct<code: string, message: string>, key: string,
                    raw_key: string, raw_value: string, headers: string>>
            >>'
        ) AS packs
    FROM unwrapped
),

packs AS (
    SELECT
        parsed.src_file,
        parsed.line_id,
        parsed.value,
        parsed.table_id,
        COALESCE(exploded.position, 0) AS position,
        exploded.pack
    FROM parsed
        LATERAL VIEW OUTER POSEXPLODE(packs) exploded AS position, pack
),

numbered AS (
    SELECT
        *,
        TRY_CAST(pack.epoch AS INT) AS epoch,
        TRY_CAST(pack.partition AS INT) AS kafka_partition,
        TRY_CAST(pack.from_offset AS BIGINT) AS from_offset,
        TRY_CAST(pack.to_offset AS BIGINT) AS to_offset,
        CONCAT(
            TRANSFORM(pack.events, e -> TRY_CAST(e.offset AS BIGINT)),
            TRANSFORM(pack.quarantined, q -> TRY_CAST(q.offset AS BIGINT))
        ) AS offsets
    FROM packs
)

SELECT
    src_file,
    table_id,
    line_id,
    position,
    CONCAT(line_id, ':', position) AS pack_id,
    pack,
    epoch,
    kafka_partition,
    from_offset,
    to_offset,
    value,
    CASE
        WHEN pack IS NULL THEN 'unreadable-line'
        WHEN pack.pack IS NULL OR pack.pack != '1' THEN 'unknown-pack-version'
        WHEN epoch IS NULL OR epoch < 1 THEN 'wrong-epoch'
        WHEN
            pack.`table` IS NULL OR pack.`table` != table_id
            OR pack.topic IS NULL
            OR pack.topic != IF(table_id = 'debezium.transaction', 'cdc.transaction', CONCAT('cdc.', table_id))
            THEN 'wrong-table'
        WHEN
            pack.cluster IS NULL
            OR kafka_partition IS NULL
            OR kafka_partition < 0
            OR from_offset IS NULL
            OR from_offset < 0
            OR to_offset IS NULL
            OR from_offset > to_offset
            OR offsets IS NULL
            OR EXISTS(offsets, o -> o IS NULL OR o NOT BETWEEN from_offset AND to_offset)
            OR SIZE(ARRAY_DISTINCT(offsets)) < SIZE(offsets)
            OR EXISTS(pack.events, e -> e.payload IS NULL)
            THEN 'malformed-pack'
    END AS problem
FROM numbered;

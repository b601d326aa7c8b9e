-- What the bronze job must know of each pack to decide what of it is new: one row is one row of packs.sql.
-- Inputs: {packs}. Rerun: reads only.
SELECT
    src_file,
    table_id,
    line_id,
    position,
    pack_id,
    problem,
    epoch,
    pack.cluster,
    pack.topic,
    kafka_partition,
    from_offset,
    to_offset,
    SIZE(pack.events) AS events,
    SIZE(pack.quarantined) AS quarantined,
    pack.schema_id,
    pack.landed_at,
    ARRAY_MAX(TRANSFORM(pack.events, e -> TRY_CAST(e.lsn AS BIGINT))) AS high_lsn
FROM {packs};

-- How much is new in packs that overlap what is there already: one row is one pack.
-- Inputs: {packs}. Parameters: :pack_ids JSON array of the packs, :covered JSON object of offset intervals to
-- leave out by pack. Rerun: reads only.
WITH open_packs AS (
    SELECT
        pack_id,
        pack,
        FROM_JSON(:covered, 'map<string, array<struct<from_offset: bigint, to_offset: bigint>>>')[pack_id] AS covered
    FROM {packs}
    WHERE ARRAY_CONTAINS(FROM_JSON(:pack_ids, 'array<string>'), pack_id)
)

SELECT
    pack_id,
    SIZE(
        FILTER(
            pack.events,
            e -> NOT EXISTS(covered, c -> CAST(e.offset AS BIGINT) BETWEEN c.from_offset AND c.to_offset)
        )
    ) AS events,
    SIZE(
        FILTER(
            pack.quarantined,
            q -> NOT EXISTS(covered, c -> CAST(q.offset AS BIGINT) BETWEEN c.from_offset AND c.to_offset)
        )
    ) AS quarantined
FROM open_packs;

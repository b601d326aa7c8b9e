-- The newest changes of users, as they came from the source: whole events, before and after.
-- One row: a change event. Inputs: bronze.
SELECT
    processed_at,
    op,
    key,
    source_ts,
    before,
    after,
    tx_id
FROM {bronze:users}
ORDER BY processed_at DESC, "offset" DESC
LIMIT 100

-- How fresh each table is: when a pack of it last landed, when bronze took it, and how long ago that was.
-- One row: a captured table, or the transaction metadata. Inputs: what bronze has taken.
SELECT
    table_id,
    MAX(landed_at) AS last_landed_at,
    MAX(processed_at) AS last_taken_at,
    DATE_DIFF('second', MAX(landed_at), MAX(processed_at)) AS seconds_in_the_landing_zone,
    DATE_DIFF('minute', MAX(processed_at), CURRENT_TIMESTAMP) AS minutes_since,
    SUM(events) AS events,
    SUM(quarantined) AS quarantined
FROM {landed}
WHERE table_id IS NOT NULL
GROUP BY table_id
ORDER BY last_taken_at DESC

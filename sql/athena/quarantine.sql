-- What could not be understood and still waits for somebody: by table and reason, the oldest first.
-- One row: a table and a reason. Inputs: the quarantine.
SELECT
    table_id,
    reason_code,
    COUNT(*) AS records,
    MIN(processed_at) AS since,
    MAX(processed_at) AS last_at,
    MIN_BY(reason_message, processed_at) AS first_message,
    MIN("offset") AS first_offset,
    MAX("offset") AS last_offset
FROM {quarantine}
WHERE state = 'open'
GROUP BY table_id, reason_code
ORDER BY since

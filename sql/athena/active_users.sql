-- Users as they are now: one row each, deleted ones left out, with what is doubtful about a row in quality_flags.
-- One row: an active user. Inputs: silver.
SELECT *
FROM {silver:users}
WHERE is_active
ORDER BY id
LIMIT 1000

-- One row a statement: a check, passed when value is at most limit.
-- Inputs: {target}: the model's rows as they would be published.
-- Parameters: none.
-- Rerun: a pure function of its inputs.

-- Every calendar day once: as many rows as different days, and as the calendar has between the first and the last.
SELECT
    'every_calendar_day_once' AS name,
    'fail' AS severity,
    GREATEST(
        COUNT(*) - COUNT(DISTINCT order_date),
        ABS(COALESCE(DATEDIFF(MAX(order_date), MIN(order_date)) + 1, 0) - COUNT(*))
    ) AS value,
    0 AS limit
FROM {target}

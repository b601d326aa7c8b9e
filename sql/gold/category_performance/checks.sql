-- One row a statement: a check, passed when value is at most limit.
-- Inputs: {target}: the model's rows as they would be published.
-- Parameters: none.
-- Rerun: a pure function of its inputs.
SELECT
    'unique_category' AS name,
    'fail' AS severity,
    COUNT(*) - COUNT(DISTINCT category) AS value,
    0 AS limit
FROM {target}

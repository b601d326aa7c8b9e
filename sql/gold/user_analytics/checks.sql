-- One row a statement: a check, passed when value is at most limit.
-- Inputs: {target}: the model's rows as they would be published.
-- Parameters: none.
-- Rerun: a pure function of its inputs.
SELECT
    'unique_user' AS name,
    'fail' AS severity,
    COUNT(*) - COUNT(DISTINCT user_id) AS value,
    0 AS limit
FROM {target};

SELECT
    'order_dates_in_order' AS name,
    'fail' AS severity,
    COUNT(*) AS value,
    0 AS limit
FROM {target}
WHERE first_order_date > last_order_date OR (total_orders = 0 AND total_spent <> 0)

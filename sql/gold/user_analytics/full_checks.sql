-- One row a statement: a check that reads whole tables, for full runs; passed when value is at most limit.
-- Inputs: {target}: the model's rows as they would be published; {users}, {orders}: silver at the run's snapshots.
-- Parameters: none.
-- Rerun: a pure function of its inputs.

-- Every active user has a row, and nobody else.
SELECT
    'row_for_each_active_user' AS name,
    'fail' AS severity,
    ABS((SELECT COUNT_IF(users.is_active) FROM {users} AS users) - COUNT(*)) AS value,
    0 AS limit
FROM {target};

-- What the users spent is what the active orders of active users brought.
SELECT
    'spent_equals_order_revenue' AS name,
    'fail' AS severity,
    ABS(
        COALESCE(SUM(total_spent), 0) - (
            SELECT COALESCE(SUM(CAST(orders.total_amount AS DECIMAL(18, 2))), 0)
            FROM {orders} AS orders
            INNER JOIN {users} AS users ON orders.user_id = users.id
            WHERE orders.is_active AND orders.is_revenue AND users.is_active
        )
    ) AS value,
    0 AS limit
FROM {target}

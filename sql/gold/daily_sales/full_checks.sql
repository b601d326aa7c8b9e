-- One row a statement: a check that reads whole tables, for full runs; passed when value is at most limit.
-- Inputs: {target}: the model's rows as they would be published; {orders}: silver at the run's snapshot.
-- Parameters: none.
-- Rerun: a pure function of its inputs.

-- What the days brought is what the active orders of these days brought.
SELECT
    'revenue_equals_order_revenue' AS name,
    'fail' AS severity,
    ABS(
        COALESCE(SUM(daily_revenue), 0) - (
            SELECT COALESCE(SUM(CAST(orders.total_amount AS DECIMAL(18, 2))), 0)
            FROM {orders} AS orders
            WHERE
                orders.is_active
                AND orders.is_revenue
                AND CAST(orders.created_at AS DATE) BETWEEN DATE '1970-01-01' AND DATE '2199-12-31'
        )
    ) AS value,
    0 AS limit
FROM {target};

-- Orders that no day shows, because their date is missing or mistyped.
SELECT
    'orders_on_a_plausible_day' AS name,
    'warn' AS severity,
    COUNT(*) AS value,
    0 AS limit
FROM {orders} AS orders
WHERE
    orders.is_active
    AND NOT COALESCE(
        CAST(orders.created_at AS DATE) BETWEEN DATE '1970-01-01' AND DATE '2199-12-31',
        FALSE
    )

-- One row: a day out of {keys} that has orders, with what they add up to (columns: create.sql).
-- Inputs: {orders}: silver at the run's snapshot; {keys}: the days to compute.
-- Parameters: none.
-- Rerun: a pure function of its inputs; finish.sql completes the rows.
WITH orders AS (
    SELECT
        keys.order_date,
        orders.user_id,
        CASE WHEN orders.is_revenue THEN COALESCE(orders.total_amount, 0) ELSE 0 END AS revenue
    FROM {orders} AS orders
    INNER JOIN {keys} AS keys ON CAST(orders.created_at AS DATE) = keys.order_date
    WHERE orders.is_active
),

days AS (
    SELECT
        order_date,
        COUNT(*) AS daily_orders,
        CAST(SUM(revenue) AS DECIMAL(18, 2)) AS daily_revenue,
        COUNT(DISTINCT user_id) AS unique_customers
    FROM orders
    GROUP BY order_date
)

SELECT
    order_date,
    daily_orders,
    daily_revenue,
    CAST(ROUND(daily_revenue / daily_orders, 2) AS DECIMAL(18, 2)) AS avg_order_value,
    unique_customers
FROM days

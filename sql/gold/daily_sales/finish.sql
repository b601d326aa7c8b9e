-- One row: a calendar day from the first to the last day with an order (columns: create.sql).
-- Inputs: {measures}: load.sql's columns of every day, those of this run's {keys} computed anew.
-- Parameters: none.
-- Rerun: a pure function of its inputs.
--
-- Rows of zeros that an earlier run filled in are left out first: the calendar may have become shorter.
WITH days_with_orders AS (
    SELECT * FROM {measures}
    WHERE daily_orders > 0
),

calendar AS (
    SELECT EXPLODE(SEQUENCE(MIN(order_date), MAX(order_date))) AS order_date
    FROM days_with_orders
),

days AS (
    SELECT
        calendar.order_date,
        days_with_orders.avg_order_value,
        COALESCE(days_with_orders.daily_orders, 0) AS daily_orders,
        COALESCE(days_with_orders.daily_revenue, CAST(0 AS DECIMAL(18, 2))) AS daily_revenue,
        COALESCE(days_with_orders.unique_customers, 0) AS unique_customers
    FROM calendar
    LEFT JOIN days_with_orders ON calendar.order_date = days_with_orders.order_date
)

SELECT
    order_date,
    daily_orders,
    daily_revenue,
    avg_order_value,
    unique_customers,
    EXTRACT(dayofweek_iso FROM order_date) AS day_of_week,
    EXTRACT(MONTH FROM order_date) AS month,
    EXTRACT(YEAR FROM order_date) AS year,
    CAST(
        ROUND(AVG(daily_revenue) OVER (ORDER BY order_date ROWS BETWEEN 6 PRECEDING AND CURRENT ROW), 2)
        AS DECIMAL(18, 2)
    ) AS revenue_7d_avg,
    CAST(
        ROUND(AVG(daily_revenue) OVER (ORDER BY order_date ROWS BETWEEN 29 PRECEDING AND CURRENT ROW), 2)
        AS DECIMAL(18, 2)
    ) AS revenue_30d_avg
FROM days

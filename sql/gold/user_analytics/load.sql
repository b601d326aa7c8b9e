-- One row: an active user out of {keys}, with what their orders add up to (columns: create.sql).
-- Inputs: {users}, {orders}: silver at the run's snapshots; {keys}: the users to compute.
-- Parameters: none.
-- Rerun: a pure function of its inputs; the engine merges the rows by user_id.
WITH users AS (
    SELECT
        users.id AS user_id,
        users.name AS user_name,
        users.email_domain,
        users.country
    FROM {users} AS users
    INNER JOIN {keys} AS keys ON users.id = keys.user_id
    WHERE users.is_active
),

orders AS (
    SELECT
        orders.user_id,
        CAST(orders.created_at AS DATE) AS order_date,
        CASE WHEN orders.is_revenue THEN COALESCE(orders.total_amount, 0) ELSE 0 END AS revenue
    FROM {orders} AS orders
    INNER JOIN {keys} AS keys ON orders.user_id = keys.user_id
    WHERE orders.is_active
),

order_totals AS (
    SELECT
        user_id,
        COUNT(*) AS total_orders,
        CAST(SUM(revenue) AS DECIMAL(18, 2)) AS total_spent,
        MIN(order_date) AS first_order_date,
        MAX(order_date) AS last_order_date
    FROM orders
    GROUP BY user_id
),

user_totals AS (
    SELECT
        users.user_id,
        users.user_name,
        users.email_domain,
        users.country,
        order_totals.first_order_date,
        order_totals.last_order_date,
        COALESCE(order_totals.total_orders, 0) AS total_orders,
        COALESCE(order_totals.total_spent, CAST(0 AS DECIMAL(18, 2))) AS total_spent
    FROM users
    LEFT JOIN order_totals ON users.user_id = order_totals.user_id
)

SELECT
    user_id,
    user_name,
    email_domain,
    country,
    total_orders,
    total_spent,
    CAST(ROUND(total_spent / NULLIF(total_orders, 0), 2) AS DECIMAL(18, 2)) AS avg_order_value,
    first_order_date,
    last_order_date,
    CASE
        WHEN total_spent >= 1000 THEN 'VIP'
        WHEN total_spent >= 500 THEN 'Premium'
        WHEN total_spent >= 100 THEN 'Regular'
        WHEN total_spent > 0 THEN 'Active'
        ELSE 'New'
    END AS user_segment,
    CASE
        WHEN total_spent >= 2000 THEN 'High'
        WHEN total_spent >= 500 THEN 'Medium'
        ELSE 'Low'
    END AS clv_category
FROM user_totals

-- One row: an active product out of {keys}, with what its orders add up to (columns: create.sql).
-- Inputs: {products}, {orders}: silver at the run's snapshots; {keys}: the products to compute.
-- Parameters: none.
-- Rerun: a pure function of its inputs; the engine merges the rows by product_id.
WITH products AS (
    SELECT
        products.id AS product_id,
        products.name AS product_name,
        products.category
    FROM {products} AS products
    INNER JOIN {keys} AS keys ON products.id = keys.product_id
    WHERE products.is_active
),

orders AS (
    SELECT
        orders.product_id,
        orders.user_id,
        CASE WHEN orders.is_revenue THEN COALESCE(orders.quantity, 0) ELSE 0 END AS quantity_sold,
        CASE WHEN orders.is_revenue THEN COALESCE(orders.total_amount, 0) ELSE 0 END AS revenue
    FROM {orders} AS orders
    INNER JOIN {keys} AS keys ON orders.product_id = keys.product_id
    WHERE orders.is_active
),

order_totals AS (
    SELECT
        product_id,
        COUNT(*) AS total_orders,
        SUM(quantity_sold) AS total_quantity_sold,
        CAST(SUM(revenue) AS DECIMAL(18, 2)) AS total_revenue,
        COUNT(DISTINCT user_id) AS unique_customers
    FROM orders
    GROUP BY product_id
),

product_totals AS (
    SELECT
        products.product_id,
        products.product_name,
        products.category,
        COALESCE(order_totals.total_orders, 0) AS total_orders,
        COALESCE(order_totals.total_quantity_sold, 0) AS total_quantity_sold,
        COALESCE(order_totals.total_revenue, CAST(0 AS DECIMAL(18, 2))) AS total_revenue,
        COALESCE(order_totals.unique_customers, 0) AS unique_customers
    FROM products
    LEFT JOIN order_totals ON products.product_id = order_totals.product_id
)

SELECT
    product_id,
    product_name,
    category,
    total_orders,
    total_quantity_sold,
    total_revenue,
    CAST(ROUND(CAST(total_quantity_sold AS DECIMAL(20, 0)) / NULLIF(total_orders, 0), 2) AS DECIMAL(18, 2))
        AS avg_quantity_per_order,
    unique_customers,
    CAST(ROUND(total_revenue / NULLIF(total_orders, 0), 2) AS DECIMAL(18, 2)) AS revenue_per_order,
    CASE
        WHEN total_revenue >= 10000 THEN 'Top'
        WHEN total_revenue >= 2500 THEN 'Strong'
        WHEN total_revenue >= 500 THEN 'Steady'
        WHEN total_revenue > 0 THEN 'Slow'
        ELSE 'Unsold'
    END AS performance_category
FROM product_totals

-- One row: a category out of {keys}, with what the orders of its active products add up to (columns: create.sql).
-- Inputs: {products}, {orders}: silver at the run's snapshots; {keys}: the categories to compute.
-- Parameters: none.
-- Rerun: a pure function of its inputs; the engine merges the rows by category.
WITH products AS (
    SELECT
        keys.category,
        products.id AS product_id
    FROM {products} AS products
    INNER JOIN {keys} AS keys ON COALESCE(NULLIF(TRIM(products.category), ''), 'Uncategorised') = keys.category
    WHERE products.is_active
),

product_totals AS (
    SELECT
        category,
        COUNT(*) AS total_products
    FROM products
    GROUP BY category
),

orders AS (
    SELECT
        products.category,
        orders.user_id,
        CASE WHEN orders.is_revenue THEN COALESCE(orders.quantity, 0) ELSE 0 END AS quantity_sold,
        CASE WHEN orders.is_revenue THEN COALESCE(orders.total_amount, 0) ELSE 0 END AS revenue
    FROM {orders} AS orders
    INNER JOIN products ON orders.product_id = products.product_id
    WHERE orders.is_active
),

order_totals AS (
    SELECT
        category,
        COUNT(*) AS total_orders,
        SUM(quantity_sold) AS total_quantity_sold,
        CAST(SUM(revenue) AS DECIMAL(18, 2)) AS total_revenue,
        COUNT(DISTINCT user_id) AS unique_customers
    FROM orders
    GROUP BY category
),

category_totals AS (
    SELECT
        product_totals.category,
        product_totals.total_products,
        COALESCE(order_totals.total_orders, 0) AS total_orders,
        COALESCE(order_totals.total_quantity_sold, 0) AS total_quantity_sold,
        COALESCE(order_totals.total_revenue, CAST(0 AS DECIMAL(18, 2))) AS total_revenue,
        COALESCE(order_totals.unique_customers, 0) AS unique_customers
    FROM product_totals
    LEFT JOIN order_totals ON product_totals.category = order_totals.category
)

SELECT
    category,
    total_products,
    total_orders,
    total_quantity_sold,
    total_revenue,
    CAST(ROUND(total_revenue / NULLIF(total_orders, 0), 2) AS DECIMAL(18, 2)) AS avg_order_value,
    unique_customers
FROM category_totals

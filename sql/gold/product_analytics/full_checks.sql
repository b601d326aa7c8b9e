-- One row a statement: a check that reads whole tables, for full runs; passed when value is at most limit.
-- Inputs: {target}: the model's rows as they would be published; {products}, {orders}: silver at the run's snapshots.
-- Parameters: none.
-- Rerun: a pure function of its inputs.

-- Every active product has a row, and nothing else.
SELECT
    'row_for_each_active_product' AS name,
    'fail' AS severity,
    ABS((SELECT COUNT_IF(products.is_active) FROM {products} AS products) - COUNT(*)) AS value,
    0 AS limit
FROM {target};

-- What the products brought is what the active orders of active products brought.
SELECT
    'revenue_equals_order_revenue' AS name,
    'fail' AS severity,
    ABS(
        COALESCE(SUM(total_revenue), 0) - (
            SELECT COALESCE(SUM(CAST(orders.total_amount AS DECIMAL(18, 2))), 0)
            FROM {orders} AS orders
            INNER JOIN {products} AS products ON orders.product_id = products.id
            WHERE orders.is_active AND orders.is_revenue AND products.is_active
        )
    ) AS value,
    0 AS limit
FROM {target}

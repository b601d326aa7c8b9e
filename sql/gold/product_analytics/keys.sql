-- One row: a product whose row may be another now.
-- Inputs: {changed_products}, {changed_orders}: rows of silver that changed, as they were and as they are.
-- Parameters: none.
-- Rerun: a pure function of its inputs.
SELECT products.id AS product_id
FROM {changed_products} AS products
UNION
SELECT orders.product_id
FROM {changed_orders} AS orders
WHERE orders.product_id IS NOT NULL

-- One row: a category whose row may be another now.
-- Inputs: {changed_products}, {changed_orders}: rows of silver that changed, as they were and as they are; {products}:
--     silver at the run's snapshot.
-- Parameters: none.
-- Rerun: a pure function of its inputs.
--
-- A product that changed its category stands in {changed_products} with both. A product that did not is in the
-- category of today, so that is where its changed orders count.
SELECT COALESCE(NULLIF(TRIM(products.category), ''), 'Uncategorised') AS category
FROM {changed_products} AS products
UNION
SELECT COALESCE(NULLIF(TRIM(products.category), ''), 'Uncategorised') AS category
FROM {products} AS products
INNER JOIN {changed_orders} AS orders ON products.id = orders.product_id

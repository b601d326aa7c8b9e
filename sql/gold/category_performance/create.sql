-- One row: a category that has an active product, with what the orders of its active products add up to.
-- Inputs: none.
-- Parameters: {target}; {properties}, how the lake stores its tables.
-- Rerun: changes nothing where the table exists.
CREATE TABLE IF NOT EXISTS {target} (
    category STRING NOT NULL COMMENT 'Category without spaces around it; products without one are Uncategorised',
    total_products BIGINT NOT NULL COMMENT 'Active products of the category',
    total_orders BIGINT NOT NULL COMMENT 'Active orders of these products, cancelled and returned ones included',
    total_quantity_sold BIGINT NOT NULL COMMENT 'Pieces ordered without the cancelled and returned orders; 0 for none',
    total_revenue DECIMAL(18, 2) NOT NULL COMMENT 'Amounts of the same orders; 0 for none',
    avg_order_value DECIMAL(18, 2) COMMENT 'total_revenue / total_orders, rounded half up; null without orders',
    unique_customers BIGINT NOT NULL COMMENT 'Different users of the orders in total_orders',
    revenue_rank BIGINT NOT NULL COMMENT 'Rank by total_revenue, highest first; ties share one, then a gap',
    _batch BIGINT NOT NULL COMMENT 'The newest batch of silver that the run which wrote this row had read',
    processed_at TIMESTAMP NOT NULL COMMENT 'Start of the run that last changed a value of this row'
)
USING iceberg
COMMENT 'How each product category sells'
TBLPROPERTIES ({properties})

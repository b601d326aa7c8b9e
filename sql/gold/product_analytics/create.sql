-- One row: an active product, with what its orders add up to.
-- Inputs: none.
-- Parameters: {target}; {properties}, how the lake stores its tables.
-- Rerun: changes nothing where the table exists.
CREATE TABLE IF NOT EXISTS {target} (
    product_id BIGINT NOT NULL COMMENT 'The product; one row for each active one',
    product_name STRING COMMENT 'Name of the product',
    category STRING COMMENT 'Category of the product, as the source has it',
    total_orders BIGINT NOT NULL COMMENT 'Active orders of the product, cancelled and returned ones included',
    total_quantity_sold BIGINT NOT NULL COMMENT 'Pieces ordered without the cancelled and returned orders; 0 for none',
    total_revenue DECIMAL(18, 2) NOT NULL COMMENT 'Amounts of the same orders; 0 for none',
    avg_quantity_per_order DECIMAL(18, 2) COMMENT 'total_quantity_sold / total_orders, half up; null without orders',
    unique_customers BIGINT NOT NULL COMMENT 'Different users of the orders in total_orders',
    revenue_per_order DECIMAL(18, 2) COMMENT 'total_revenue / total_orders, rounded half up; null without orders',
    performance_category STRING NOT NULL
    COMMENT 'By total_revenue: Top from 10000, Strong from 2500, Steady from 500, Slow above 0, else Unsold',
    popularity_rank BIGINT NOT NULL COMMENT 'Rank by total_orders, most first; ties share one, then a gap',
    revenue_rank BIGINT NOT NULL COMMENT 'Rank by total_revenue, highest first; ties share one, then a gap',
    _batch BIGINT NOT NULL COMMENT 'The newest batch of silver that the run which wrote this row had read',
    processed_at TIMESTAMP NOT NULL COMMENT 'Start of the run that last changed a value of this row'
)
USING iceberg
COMMENT 'How each active product sells'
TBLPROPERTIES ({properties})

-- One row: a calendar day (UTC) from the first to the last day with an order; days without one are rows of zeros.
-- Inputs: none.
-- Parameters: {target}; {properties}, how the lake stores its tables.
-- Rerun: changes nothing where the table exists.
CREATE TABLE IF NOT EXISTS {target} (
    order_date DATE NOT NULL COMMENT 'The day in UTC; without orders dated before 1970 or after 2199',
    daily_orders BIGINT NOT NULL COMMENT 'Active orders made on the day, cancelled and returned ones included',
    daily_revenue DECIMAL(18, 2) NOT NULL COMMENT 'Their amounts without the cancelled and returned ones; 0 for none',
    avg_order_value DECIMAL(18, 2) COMMENT 'daily_revenue / daily_orders, half up; null on a day without orders',
    unique_customers BIGINT NOT NULL COMMENT 'Different users of the orders in daily_orders',
    day_of_week INT NOT NULL COMMENT 'ISO 8601: 1 is Monday, 7 is Sunday',
    month INT NOT NULL COMMENT '1 to 12',
    year INT NOT NULL COMMENT 'Calendar year',
    revenue_7d_avg DECIMAL(18, 2) NOT NULL
    COMMENT 'Mean daily_revenue of this day and the 6 days before it, as far as the table goes back; half up',
    revenue_30d_avg DECIMAL(18, 2) NOT NULL
    COMMENT 'Mean daily_revenue of this day and the 29 days before it, as far as the table goes back; half up',
    _batch BIGINT NOT NULL COMMENT 'The newest batch of silver that the run which wrote this row had read',
    processed_at TIMESTAMP NOT NULL COMMENT 'Start of the run that last changed a value of this row'
)
USING iceberg
COMMENT 'Orders and revenue of each calendar day'
TBLPROPERTIES ({properties})

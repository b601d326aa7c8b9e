-- One row: an active user, with what their orders add up to.
-- Inputs: none.
-- Parameters: {target}; {properties}, how the lake stores its tables.
-- Rerun: changes nothing where the table exists.
CREATE TABLE IF NOT EXISTS {target} (
    user_id BIGINT NOT NULL COMMENT 'The user; one row for each active one',
    user_name STRING COMMENT 'Name of the user',
    email_domain STRING COMMENT 'Lower-case part of the e-mail address after the last @',
    country STRING COMMENT 'Country of the user',
    total_orders BIGINT NOT NULL COMMENT 'Active orders of the user, cancelled and returned ones included',
    total_spent DECIMAL(18, 2) NOT NULL COMMENT 'Their amounts without the cancelled and returned ones; 0 for none',
    avg_order_value DECIMAL(18, 2) COMMENT 'total_spent / total_orders, rounded half up; null without orders',
    first_order_date DATE COMMENT 'Day (UTC) of the first of these orders; null without orders',
    last_order_date DATE COMMENT 'Day (UTC) of the last of these orders; null without orders',
    user_segment STRING NOT NULL
    COMMENT 'By total_spent: VIP from 1000, Premium from 500, Regular from 100, Active above 0, else New',
    clv_category STRING NOT NULL COMMENT 'Lifetime value by total_spent: High from 2000, Medium from 500, else Low',
    _batch BIGINT NOT NULL COMMENT 'The newest batch of silver that the run which wrote this row had read',
    processed_at TIMESTAMP NOT NULL COMMENT 'Start of the run that last changed a value of this row'
)
USING iceberg
COMMENT 'What each active user ordered and spent'
TBLPROPERTIES ({properties})

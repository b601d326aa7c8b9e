-- Users who spent well and have not ordered for a month, as of today.
-- One row: a user. Inputs: the view on gold that knows what day it is.
SELECT
    user_id,
    user_name,
    total_spent,
    last_order_date,
    days_since_last_order
FROM {gold:user_analytics}_today
WHERE user_segment IN ('VIP', 'Premium') AND days_since_last_order > 30
ORDER BY total_spent DESC
LIMIT 100

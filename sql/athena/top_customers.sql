-- The ten users who spent most, with their segment.
-- One row: a user. Inputs: gold.
SELECT
    user_id,
    user_name,
    country,
    total_orders,
    total_spent,
    user_segment,
    clv_category,
    last_order_date
FROM {gold:user_analytics}
ORDER BY total_spent DESC
LIMIT 10

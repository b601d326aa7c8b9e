-- Gold user_analytics, worked out by PostgreSQL from the source alone. First column: the key.
SELECT
    u.id::TEXT AS user_id,
    u.name AS user_name,
    LOWER(SUBSTRING(u.email FROM '[^@]*$')) AS email_domain,
    u.country,
    COUNT(o.id)::TEXT AS total_orders,
    t.spent::TEXT AS total_spent,
    CASE WHEN COUNT(o.id) > 0 THEN ROUND(t.spent / COUNT(o.id), 2)::TEXT END AS avg_order_value,
    MIN((o.created_at AT TIME ZONE 'UTC')::DATE)::TEXT AS first_order_date,
    MAX((o.created_at AT TIME ZONE 'UTC')::DATE)::TEXT AS last_order_date,
    (ARRAY['New', 'Active', 'Regular', 'Premium', 'VIP'])[
        1 + (t.spent > 0)::INT + (t.spent >= 100)::INT + (t.spent >= 500)::INT + (t.spent >= 1000)::INT
    ] AS user_segment,
    (ARRAY['Low', 'Medium', 'High'])[1 + (t.spent >= 500)::INT + (t.spent >= 2000)::INT] AS clv_category
FROM public.users AS u
LEFT JOIN public.orders AS o ON u.id = o.user_id
CROSS JOIN
    LATERAL (
        SELECT COALESCE(SUM(r.total_amount), 0)::NUMERIC(18, 2) AS spent
        FROM public.orders AS r
        WHERE r.user_id = u.id AND r.status <> ALL(ARRAY['cancelled', 'returned'])
    ) AS t
GROUP BY u.id, t.spent

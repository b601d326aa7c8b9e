-- Gold daily_sales, worked out by PostgreSQL from the source alone. First column: the key.
SELECT
    c.day::DATE::TEXT AS order_date,
    d.orders::TEXT AS daily_orders,
    d.revenue::TEXT AS daily_revenue,
    CASE WHEN d.orders > 0 THEN ROUND(d.revenue / d.orders, 2)::TEXT END AS avg_order_value,
    d.customers::TEXT AS unique_customers,
    EXTRACT(ISODOW FROM c.day)::TEXT AS day_of_week,
    EXTRACT(MONTH FROM c.day)::TEXT AS month,
    EXTRACT(YEAR FROM c.day)::TEXT AS year,
    ROUND(AVG(d.revenue) OVER (ORDER BY c.day ROWS 6 PRECEDING), 2)::TEXT AS revenue_7d_avg,
    ROUND(AVG(d.revenue) OVER (ORDER BY c.day ROWS 29 PRECEDING), 2)::TEXT AS revenue_30d_avg
FROM (
    SELECT
        GENERATE_SERIES(
            MIN((created_at AT TIME ZONE 'UTC')::DATE), MAX((created_at AT TIME ZONE 'UTC')::DATE), INTERVAL '1 day'
        ) AS day
    FROM public.orders
) AS c
CROSS JOIN LATERAL (
    SELECT
        COUNT(*) AS orders,
        COALESCE(SUM(o.total_amount) FILTER (WHERE o.status NOT IN ('cancelled', 'returned')), 0)::NUMERIC(18, 2)
            AS revenue,
        COUNT(DISTINCT o.user_id) AS customers
    FROM public.orders AS o
    WHERE (o.created_at AT TIME ZONE 'UTC')::DATE = c.day::DATE
) AS d

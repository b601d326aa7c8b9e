-- Gold product_analytics, worked out by PostgreSQL from the source alone. First column: the key.
SELECT
    p.id::TEXT AS product_id,
    p.name AS product_name,
    p.category,
    s.orders::TEXT AS total_orders,
    s.quantity::TEXT AS total_quantity_sold,
    s.revenue::TEXT AS total_revenue,
    CASE WHEN s.orders > 0 THEN ROUND(s.quantity::NUMERIC / s.orders, 2)::TEXT END AS avg_quantity_per_order,
    s.customers::TEXT AS unique_customers,
    CASE WHEN s.orders > 0 THEN ROUND(s.revenue / s.orders, 2)::TEXT END AS revenue_per_order,
    CASE
        WHEN s.revenue <= 0 THEN 'Unsold'
        WHEN s.revenue < 500 THEN 'Slow'
        WHEN s.revenue < 2500 THEN 'Steady'
        WHEN s.revenue < 10000 THEN 'Strong'
        ELSE 'Top'
    END AS performance_category,
    RANK() OVER (ORDER BY s.orders DESC)::TEXT AS popularity_rank,
    RANK() OVER (ORDER BY s.revenue DESC)::TEXT AS revenue_rank
FROM public.products AS p
CROSS JOIN LATERAL (
    SELECT
        COUNT(*) AS orders,
        COALESCE(SUM(o.quantity) FILTER (WHERE o.status NOT IN ('cancelled', 'returned')), 0) AS quantity,
        COALESCE(SUM(o.total_amount) FILTER (WHERE o.status NOT IN ('cancelled', 'returned')), 0)::NUMERIC(18, 2)
            AS revenue,
        COUNT(DISTINCT o.user_id) AS customers
    FROM public.orders AS o
    WHERE o.product_id = p.id
) AS s

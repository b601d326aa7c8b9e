-- Gold category_performance, worked out by PostgreSQL from the source alone. First column: the key.
SELECT
    g.category,
    g.products::TEXT AS total_products,
    g.orders::TEXT AS total_orders,
    g.quantity::TEXT AS total_quantity_sold,
    g.revenue::TEXT AS total_revenue,
    CASE WHEN g.orders > 0 THEN ROUND(g.revenue / g.orders, 2)::TEXT END AS avg_order_value,
    g.customers::TEXT AS unique_customers,
    RANK() OVER (ORDER BY g.revenue DESC)::TEXT AS revenue_rank
FROM (
    SELECT
        COALESCE(NULLIF(TRIM(p.category), ''), 'Uncategorised') AS category,
        COUNT(DISTINCT p.id) AS products,
        COUNT(o.id) AS orders,
        COALESCE(SUM(o.quantity) FILTER (WHERE o.status NOT IN ('cancelled', 'returned')), 0) AS quantity,
        COALESCE(SUM(o.total_amount) FILTER (WHERE o.status NOT IN ('cancelled', 'returned')), 0)::NUMERIC(18, 2)
            AS revenue,
        COUNT(DISTINCT o.user_id) AS customers
    FROM public.products AS p
    LEFT JOIN public.orders AS o ON p.id = o.product_id
    GROUP BY COALESCE(NULLIF(TRIM(p.category), ''), 'Uncategorised')
) AS g

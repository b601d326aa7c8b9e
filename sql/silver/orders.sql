-- One row: a row of the source's orders, with the columns derived from it alone.
-- Inputs: {source}, the typed columns of public.orders.
-- Parameters: none.
-- Rerun: a pure function of the row.
--
-- order_value_category: Small below 100, Medium below 500, else Large; null without an amount.
-- is_revenue: false when the order was cancelled or returned: it then counts as an order, but brings and sells
--     nothing. The one place that says so; every gold model goes by this column.
-- row_flags: what looks wrong in the row; null flags are left out.
SELECT
    source.*,
    CASE
        WHEN source.total_amount < 100 THEN 'Small'
        WHEN source.total_amount < 500 THEN 'Medium'
        WHEN source.total_amount >= 500 THEN 'Large'
    END AS order_value_category,
    COALESCE(source.status NOT IN ('cancelled', 'returned'), TRUE) AS is_revenue,
    ARRAY_COMPACT(ARRAY(
        CASE WHEN source.quantity IS NULL OR source.quantity <= 0 THEN 'quantity: not positive' END,
        CASE WHEN source.total_amount IS NULL THEN 'total_amount: missing' END,
        CASE WHEN source.total_amount < 0 THEN 'total_amount: negative' END,
        CASE WHEN source.status IS NULL OR TRIM(source.status) = '' THEN 'status: missing' END,
        CASE WHEN source.updated_at < source.created_at THEN 'updated_at: before created_at' END
    )) AS row_flags
FROM {source} AS source

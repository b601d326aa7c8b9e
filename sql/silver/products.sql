-- One row: a row of the source's products, with the columns derived from it alone.
-- Inputs: {source}, the typed columns of public.products.
-- Parameters: none.
-- Rerun: a pure function of the row.
--
-- price_category: Low below 50, Medium below 200, else High; null without a price.
-- row_flags: what looks wrong in the row; null flags are left out.
SELECT
    source.*,
    CASE
        WHEN source.price < 50 THEN 'Low'
        WHEN source.price < 200 THEN 'Medium'
        WHEN source.price >= 200 THEN 'High'
    END AS price_category,
    ARRAY_COMPACT(ARRAY(
        CASE WHEN source.price IS NULL THEN 'price: missing' END,
        CASE WHEN source.price < 0 THEN 'price: negative' END,
        CASE WHEN source.stock < 0 THEN 'stock: negative' END,
        CASE WHEN source.category IS NULL OR TRIM(source.category) = '' THEN 'category: missing' END,
        CASE WHEN source.updated_at < source.created_at THEN 'updated_at: before created_at' END
    )) AS row_flags
FROM {source} AS source

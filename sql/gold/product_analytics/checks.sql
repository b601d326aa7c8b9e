-- One row a statement: a check, passed when value is at most limit.
-- Inputs: {target}: the model's rows as they would be published.
-- Parameters: none.
-- Rerun: a pure function of its inputs.
SELECT
    'unique_product' AS name,
    'fail' AS severity,
    COUNT(*) - COUNT(DISTINCT product_id) AS value,
    0 AS limit
FROM {target};

-- Ranks start at 1 and never pass the number of products.
SELECT
    'ranks_in_range' AS name,
    'fail' AS severity,
    COUNT_IF(LEAST(popularity_rank, revenue_rank) < 1)
    + GREATEST(COALESCE(MAX(GREATEST(popularity_rank, revenue_rank)), 0) - COUNT(*), 0) AS value,
    0 AS limit
FROM {target}

-- One row: an active product, ranked among all of them (columns: create.sql).
-- Inputs: {measures}: load.sql's columns of every product, those of this run's {keys} computed anew.
-- Parameters: none.
-- Rerun: a pure function of its inputs.
SELECT
    measures.*,
    CAST(RANK() OVER (ORDER BY measures.total_orders DESC) AS BIGINT) AS popularity_rank,
    CAST(RANK() OVER (ORDER BY measures.total_revenue DESC) AS BIGINT) AS revenue_rank
FROM {measures} AS measures

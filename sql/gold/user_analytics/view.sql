-- One row: a row of user_analytics, with what depends on today.
-- Inputs: {target}, the gold table.
-- Parameters: none.
-- Rerun: the view is replaced.
-- Column: days_since_last_order BIGINT
--
-- Today is the day in UTC. Written so that Spark and Athena read it alike.
SELECT
    analytics.*,
    EXTRACT(DAY FROM (CURRENT_DATE - analytics.last_order_date)) AS days_since_last_order
FROM {target} AS analytics

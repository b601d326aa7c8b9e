-- What has changed since yesterday: orders whose state differs from the one 24 hours ago. A table younger than that, or
-- whose snapshots have been expired since, has no such state, and the query says so.
-- One row: an order with its status then and now. Inputs: silver now, and silver as it was.
WITH
then_orders AS (
    SELECT
        id,
        status
    FROM {silver:orders} FOR TIMESTAMP AS OF (CURRENT_TIMESTAMP - INTERVAL '1' DAY) -- noqa: PRS
    WHERE is_active
),

now_orders AS (
    SELECT
        id,
        status
    FROM {silver:orders}
    WHERE is_active
)

SELECT
    COALESCE(now_orders.id, then_orders.id) AS id,
    then_orders.status AS status_then,
    now_orders.status AS status_now
FROM then_orders
FULL OUTER JOIN now_orders ON then_orders.id = now_orders.id
WHERE then_orders.status IS DISTINCT FROM now_orders.status
ORDER BY 1

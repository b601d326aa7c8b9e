-- One row: a day whose orders may be others now.
-- Inputs: {changed_orders}: rows of silver that changed, as they were and as they are.
-- Parameters: none.
-- Rerun: a pure function of its inputs.
--
-- Days without orders and the averages of the days after a touched one are finish.sql's.
SELECT DISTINCT CAST(orders.created_at AS DATE) AS order_date
FROM {changed_orders} AS orders
WHERE CAST(orders.created_at AS DATE) BETWEEN DATE '1970-01-01' AND DATE '2199-12-31'

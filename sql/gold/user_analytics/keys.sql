-- One row: a user whose row may be another now.
-- Inputs: {changed_users}, {changed_orders}: rows of silver that changed, as they were and as they are.
-- Parameters: none.
-- Rerun: a pure function of its inputs.
--
-- An order that moved to another user stands in {changed_orders} with both users.
SELECT users.id AS user_id
FROM {changed_users} AS users
UNION
SELECT orders.user_id
FROM {changed_orders} AS orders
WHERE orders.user_id IS NOT NULL

-- Everything that ever happened to one row: put its key in, as the JSON text that the column `key` has.
-- One row: a change of that row, in the source's order. Inputs: bronze.
SELECT
    source_ts,
    op,
    before,
    after,
    unchanged,
    tx_id,
    commit_lsn,
    lsn
FROM {bronze:orders}
WHERE key = '{"id":1}' OR prior_key = '{"id":1}'
ORDER BY epoch, commit_lsn, lsn, tx_order

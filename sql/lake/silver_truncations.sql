-- TRUNCATEs that silver has applied: one row is one TRUNCATE of one table at its position. Appended by the
-- silver job.
-- Parameters: {target} the full name, {properties} the lake's table properties. Rerun: creates nothing
-- twice.
CREATE TABLE IF NOT EXISTS {target} (
    table_id STRING COMMENT 'Captured table, <schema>.<table>',
    epoch INT COMMENT 'Deployment epoch',
    commit_lsn BIGINT COMMENT 'Position: end of the last commit before it, resolved as in silver',
    lsn BIGINT COMMENT 'Position: LSN of the TRUNCATE',
    tx_order BIGINT COMMENT 'Position: order within its transaction',
    truncated_at TIMESTAMP COMMENT 'Time of the TRUNCATE at the source',
    batch BIGINT COMMENT 'Highest landed batch that the silver run had consumed',
    processed_at TIMESTAMP COMMENT 'When the silver job ran'
)
USING ICEBERG
COMMENT 'Applied TRUNCATEs of every captured table'
TBLPROPERTIES ({properties});

-- Silver of one captured table: one row is one row of the source, by its key, as it is or as it last was.
-- Parameters: {target} the full name, {columns} the source's columns with types and a comma at the end,
-- {partitioning} a PARTITIONED BY clause or nothing, {properties} the lake's table properties. Columns that
-- come later are added by the silver job. Rerun: creates nothing twice.
CREATE TABLE IF NOT EXISTS {target} (
    {columns}
    is_active BOOLEAN COMMENT 'Whether the source has the row now',
    deleted_at TIMESTAMP COMMENT 'When the source deleted or truncated it; null while active',
    quality_flags ARRAY<STRING> COMMENT 'What is wrong or unknown, as <column>: <what>',
    source_updated_at TIMESTAMP COMMENT 'Time of its last change at the source',
    processed_at TIMESTAMP COMMENT 'When the silver job wrote the row',
    _epoch INT COMMENT 'Position of its last change: deployment epoch',
    _commit_lsn BIGINT COMMENT 'Position: end of the last commit before the change',
    _lsn BIGINT COMMENT 'Position: LSN of the change',
    _tx_order BIGINT COMMENT 'Position: order within the transaction; 0 for a snapshot row',
    _schema_id STRING COMMENT 'Schema of its last change, see bronze_schemas',
    _batch BIGINT COMMENT 'Number of the silver publication that wrote the row; later ones are higher'
)
USING ICEBERG
{partitioning}
COMMENT 'The source''s rows, deleted ones included'
TBLPROPERTIES ({properties});

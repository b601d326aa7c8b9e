-- Silver of a captured table without a key: one row is one change event of it. Append only.
-- Parameters: {target} the full name, {columns} the source's columns with types and a comma at the end,
-- {partitioning} a PARTITIONED BY clause or nothing, {properties} the lake's table properties. Columns that
-- come later are added by the silver job. Rerun: creates nothing twice.
CREATE TABLE IF NOT EXISTS {target} (
    {columns}
    _op STRING COMMENT 'c, u, d, r or t; of a d the columns hold the row before',
    quality_flags ARRAY<STRING> COMMENT 'What is wrong or unknown, as <column>: <what>',
    source_updated_at TIMESTAMP COMMENT 'Time of the change at the source',
    processed_at TIMESTAMP COMMENT 'When the silver job wrote the row',
    _epoch INT COMMENT 'Position of the change: deployment epoch',
    _commit_lsn BIGINT COMMENT 'Position: end of the last commit before the change',
    _lsn BIGINT COMMENT 'Position: LSN of the change',
    _tx_order BIGINT COMMENT 'Position: order within the transaction; 0 for a snapshot row',
    _schema_id STRING COMMENT 'Schema of the change, see bronze_schemas',
    _batch BIGINT COMMENT 'Number of the silver publication that wrote the row; later ones are higher',
    _kafka_cluster STRING COMMENT 'Kafka cluster of the event',
    _kafka_topic STRING COMMENT 'Kafka topic of the event',
    _kafka_partition INT COMMENT 'Kafka partition of the event',
    _kafka_offset BIGINT COMMENT 'Kafka offset of the event'
)
USING ICEBERG
{partitioning}
COMMENT 'Change events of a table without a key'
TBLPROPERTIES ({properties});

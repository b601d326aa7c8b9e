-- One captured table's bronze: one row is one Kafka record that holds a change event, each (epoch, cluster,
-- topic, partition, offset) once, for ever. Append only; its only writer is the bronze job.
-- Parameters: {target} the full name, {properties} the lake's table properties. Rerun: creates nothing
-- twice.
CREATE TABLE IF NOT EXISTS {target} (
    epoch INT COMMENT 'Deployment epoch; offsets and LSNs start again in a new one',
    cluster STRING COMMENT 'Kafka cluster id',
    topic STRING COMMENT 'Kafka topic',
    partition INT COMMENT 'Kafka partition',
    offset BIGINT COMMENT 'Kafka offset',
    kafka_ts TIMESTAMP COMMENT 'Time of the Kafka record',
    op STRING COMMENT 'c, u, d, r or t; begin or end in the transaction topic',
    commit_lsn BIGINT COMMENT 'End of the last commit before this transaction (source.sequence[0])',
    lsn BIGINT COMMENT 'LSN of the change',
    tx_id BIGINT COMMENT 'Transaction id at the source',
    tx_order BIGINT COMMENT 'Order within its transaction (transaction.total_order); null for snapshot rows',
    source_ts TIMESTAMP COMMENT 'Time of the change at the source',
    snapshot STRING COMMENT 'Null for a streamed event, else what kind of snapshot row it is',
    key STRING COMMENT 'Exact JSON text of the Kafka key''s payload; null without a key',
    prior_key STRING COMMENT 'JSON text of the key that this row had before a key change',
    unchanged ARRAY<STRING> COMMENT 'Columns whose value was not sent because it did not change (TOAST)',
    before STRING COMMENT 'The row before, as JSON text',
    after STRING COMMENT 'The row after, as JSON text',
    payload STRING COMMENT 'Exact text of Debezium''s payload',
    schema_id STRING COMMENT 'Key of the columns in bronze_schemas',
    landed_at TIMESTAMP COMMENT 'When the enrichment packed the record',
    src_file STRING COMMENT 'Object key of the landing file',
    batch BIGINT COMMENT 'Number of the bronze commit that brought the row',
    processed_at TIMESTAMP COMMENT 'When the bronze job ran'
)
USING ICEBERG
PARTITIONED BY (DAYS (processed_at))
COMMENT 'Change events as they came, each Kafka record once'
TBLPROPERTIES ({properties});

-- What could not be understood, with its bytes: one row is one Kafka record, one unreadable line or pack of
-- a landing file, or one unreadable file. Appended by the bronze job within its batch; states are changed by
-- the replay tools.
-- Parameters: {target} the full name, {properties} the lake's table properties. Rerun: creates nothing
-- twice.
CREATE TABLE IF NOT EXISTS {target} (
    batch BIGINT COMMENT 'Number of the bronze commit that brought the row',
    table_id STRING COMMENT 'Captured table, <schema>.<table>',
    epoch INT COMMENT 'Deployment epoch; null when unknown',
    cluster STRING COMMENT 'Kafka cluster id; null when unknown',
    topic STRING COMMENT 'Kafka topic; null when unknown',
    partition INT COMMENT 'Kafka partition; null when unknown',
    offset BIGINT COMMENT 'Kafka offset; null for a line, a pack or a file',
    kafka_ts TIMESTAMP COMMENT 'Time of the Kafka record',
    reason_code STRING COMMENT 'Why, as a word: invalid-json, unreadable-line, wrong-epoch ...',
    reason_message STRING COMMENT 'Why, as a sentence',
    key STRING COMMENT 'Exact JSON text of the key''s payload, when that could be read',
    raw_key BINARY COMMENT 'Bytes of the Kafka key',
    raw_value BINARY COMMENT 'Bytes of the Kafka value or of the line; null for a file: see src_file',
    headers STRING COMMENT 'Kafka headers as JSON text',
    src_file STRING COMMENT 'Object key of the landing file',
    state STRING COMMENT 'open, repaired, replayed or dismissed',
    state_changed_at TIMESTAMP COMMENT 'When the state was last changed',
    processed_at TIMESTAMP COMMENT 'When the bronze job ran'
)
USING ICEBERG
COMMENT 'Records, lines and files that could not be understood, with their bytes'
TBLPROPERTIES ({properties});

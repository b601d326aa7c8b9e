-- Offset intervals and files that bronze has taken: one row is one pack of a landing file; a file without a
-- readable pack has one row with null offsets. The append of a batch's rows is the commit of that batch.
-- Parameters: {target} the full name, {properties} the lake's table properties. Rerun: creates nothing
-- twice.
CREATE TABLE IF NOT EXISTS {target} (
    batch BIGINT COMMENT 'Number of the bronze commit',
    table_id STRING COMMENT 'Captured table, <schema>.<table>',
    epoch INT COMMENT 'Deployment epoch of the pack',
    cluster STRING COMMENT 'Kafka cluster id',
    topic STRING COMMENT 'Kafka topic',
    partition INT COMMENT 'Kafka partition',
    from_offset BIGINT COMMENT 'First offset that the pack covers',
    to_offset BIGINT COMMENT 'Last offset that the pack covers',
    events BIGINT COMMENT 'Events in the pack',
    accepted BIGINT COMMENT 'Events taken into bronze; the others were there already',
    quarantined BIGINT COMMENT 'Records of the pack taken into quarantine',
    src_file STRING COMMENT 'Object key of the landing file',
    line INT COMMENT 'Line of the file, from 1; null when the file could not be read',
    landed_at TIMESTAMP COMMENT 'When the enrichment made the pack',
    run_id STRING COMMENT 'Run that took it',
    processed_at TIMESTAMP COMMENT 'When the bronze job ran'
)
USING ICEBERG
COMMENT 'Offset intervals and landing files that bronze has taken'
TBLPROPERTIES ({properties});

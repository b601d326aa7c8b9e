-- Column lists that the events came with: one row is one schema of one table in one partition of a topic,
-- with the lowest offset it was seen at. Merged by the bronze job before it publishes.
-- Parameters: {target} the full name, {properties} the lake's table properties. Rerun: creates nothing
-- twice.
CREATE TABLE IF NOT EXISTS {target} (
    table_id STRING COMMENT 'Captured table, <schema>.<table>',
    schema_id STRING COMMENT 'Hash of the columns',
    columns ARRAY<STRUCT<name: STRING, type: STRING, encoding: STRING>>
    COMMENT 'Columns in order: lake type and how JSON holds the value',
    epoch INT COMMENT 'Deployment epoch',
    topic STRING COMMENT 'Kafka topic',
    partition INT COMMENT 'Kafka partition',
    first_offset BIGINT COMMENT 'Lowest first offset of a pack with this schema',
    first_seen TIMESTAMP COMMENT 'When bronze first met the schema'
)
USING ICEBERG
COMMENT 'Every column list of every captured table'
TBLPROPERTIES ({properties});

-- Registers the column lists that a batch met for the first time, or earlier than known, in their partition.
-- Inputs: {packs}. Writes {schemas}: one row a (table_id, schema_id, epoch, topic, partition).
-- Parameters: :first_seen. Rerun: the same offsets change nothing.
MERGE INTO {schemas} AS known
USING (
    SELECT
        table_id,
        pack.schema_id,
        epoch,
        pack.topic,
        kafka_partition,
        FIRST(pack.columns) AS columns,
        MIN(from_offset) AS first_offset
    FROM {packs}
    WHERE problem IS NULL AND pack.schema_id IS NOT NULL
    GROUP BY table_id, pack.schema_id, epoch, pack.topic, kafka_partition
) AS met
    ON
        known.table_id = met.table_id
        AND known.schema_id = met.schema_id
        AND known.epoch = met.epoch
        AND known.topic = met.topic
        AND known.partition = met.kafka_partition
WHEN MATCHED AND met.first_offset < known.first_offset THEN UPDATE SET known.first_offset = met.first_offset
WHEN NOT MATCHED THEN INSERT
    (table_id, schema_id, columns, epoch, topic, partition, first_offset, first_seen)
VALUES (
    met.table_id, met.schema_id, met.columns, met.epoch, met.topic, met.kafka_partition, met.first_offset,
    CAST(:first_seen AS TIMESTAMP)
);

-- Rows of `landed` for a batch, from the job's own account of its packs: one row is one pack, or one file without.
-- Parameters: :rows JSON array. Rerun: reads only.
SELECT INLINE(
    FROM_JSON(
        :rows,
        'array<struct<
            batch: bigint, table_id: string, epoch: int, cluster: string, topic: string, partition: int,
            from_offset: bigint, to_offset: bigint, events: bigint, accepted: bigint, quarantined: bigint,
            src_file: string, line: int, landed_at: timestamp, run_id: string, processed_at: timestamp
        >>'
    )
);

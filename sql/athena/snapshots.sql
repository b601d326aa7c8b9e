-- The snapshots of a table: each is a state that can be read with `FOR VERSION AS OF <snapshot_id>` behind its name.
-- One row: a snapshot with what it added. Inputs: Iceberg's metadata of silver.
SELECT
    committed_at,
    snapshot_id,
    operation,
    ELEMENT_AT(summary, 'added-records') AS added_records,
    ELEMENT_AT(summary, 'added-position-deletes') AS ended_records,
    ELEMENT_AT(summary, 'total-records') AS total_records
FROM "{silver:orders}$snapshots"
ORDER BY committed_at DESC

-- How the tables' columns changed: every shape in which a table's events came, by its first appearance.
-- One row: a column of a shape. Inputs: the schemas that bronze has met.
SELECT
    schemas.table_id,
    schemas.first_seen,
    schemas.epoch,
    schemas.first_offset,
    schemas.schema_id,
    shape.position,
    shape.name,
    shape.type
FROM {bronze_schemas} AS schemas
CROSS JOIN UNNEST(schemas.columns) WITH ORDINALITY AS shape (name, type, encoding, position)
ORDER BY schemas.table_id, schemas.epoch, schemas.first_seen, schemas.schema_id, shape.position

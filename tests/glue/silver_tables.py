"""Silver tables of the sample schema, written directly: what silver would publish for given source rows."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

from pyspark.sql.types import DateType, DecimalType, StructType, TimestampType, _parse_datatype_string

from lake import Lake
from lakehouse.iceberg import IcebergTable, table_properties
from lakehouse.names import CATALOG, quoted
from lakehouse.sqlfile import run_file

# The lake's types of sql/source/*.sql.
SOURCE_COLUMNS: Mapping[str, str] = {
    "users": "id BIGINT, name STRING, email STRING, country STRING, bio STRING, "
    "created_at TIMESTAMP, updated_at TIMESTAMP",
    "products": "id BIGINT, name STRING, price DECIMAL(10,2), category STRING, stock INT, "
    "created_at TIMESTAMP, updated_at TIMESTAMP",
    "orders": "id BIGINT, user_id BIGINT, product_id BIGINT, quantity INT, total_amount DECIMAL(10,2), status STRING, "
    "notes STRING, created_at TIMESTAMP, updated_at TIMESTAMP",
}
# What silver adds to them; rows may give is_active.
STAMPS = (
    "IF(is_active, NULL, TIMESTAMP '2026-01-01 00:00:00Z') AS deleted_at, row_flags AS quality_flags, "
    "updated_at AS source_updated_at, CURRENT_TIMESTAMP() AS processed_at, 1 AS _epoch, {batch}L AS _commit_lsn, "
    "{batch}L AS _lsn, 1L AS _tx_order, 'schema' AS _schema_id, {batch}L AS _batch"
)

Row = Mapping[str, Any]


def typed(value: Any, data_type: Any) -> Any:
    """A value of a YAML file (or of a test) as PySpark takes it for a column."""
    if value is None:
        return None
    if isinstance(data_type, DecimalType):
        return Decimal(str(value))
    if isinstance(data_type, TimestampType):
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    if isinstance(data_type, DateType):
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    return value


def source_schema(table: str) -> StructType:
    """The source's columns of a sample table, with is_active."""
    schema = _parse_datatype_string(SOURCE_COLUMNS[table] + ", is_active BOOLEAN")
    assert isinstance(schema, StructType)
    return schema


class SilverTables:
    """The silver tables of one lake; every write is one published batch."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self.batch = 0
        lake.spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {CATALOG}.{quoted(lake.run().names.database)}")

    def table(self, name: str) -> IcebergTable:
        """The silver table of a sample table."""
        return self.lake.run().layer_table("silver", f"public.{name}")

    def write(self, **tables: Sequence[Row]) -> int:
        """Inserts or updates rows by id, e.g. write(users=[{"id": 1}]); a missing column is null, is_active true.

        All rows carry one new `_batch`, which is answered.
        """
        self.batch += 1
        for name, rows in tables.items():
            self._write(name, rows)
        return self.batch

    def _write(self, name: str, rows: Sequence[Row]) -> None:
        spark, table, schema = self.lake.spark, self.table(name), source_schema(name)
        values = [[typed({"is_active": True, **row}.get(f.name), f.dataType) for f in schema.fields] for row in rows]
        spark.createDataFrame(values, schema).createOrReplaceTempView("silver_source")
        derived = run_file(spark, self.lake.run().assets, f"sql/silver/{name}.sql", {"source": "silver_source"})
        derived.createOrReplaceTempView("silver_derived")
        complete = f"SELECT * EXCEPT (row_flags), {STAMPS.format(batch=self.batch)} FROM silver_derived"
        if not table.exists():
            empty = f"SELECT * FROM ({complete}) WHERE FALSE"
            spark.sql(f"CREATE TABLE {table.name} USING iceberg TBLPROPERTIES ({table_properties()}) AS {empty}")
        spark.sql(
            f"MERGE INTO {table.name} AS t USING ({complete}) AS s ON t.id = s.id "
            "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
        )

    def gold(self, model: str, columns: str = "*", order: str = "1") -> list[dict[str, Any]]:
        """Rows of a gold table."""
        name = self.lake.name("gold", model)
        return [r.asDict() for r in self.lake.sql(f"SELECT {columns} FROM {name} ORDER BY {order}")]

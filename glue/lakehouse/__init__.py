"""The lakehouse engine: bronze, silver and gold as Iceberg tables. It holds no business rule; those are in sql/."""

"""Names of everything in the lake, derived from project and stage (docs/architecture.md, One place for names)."""

import re
from dataclasses import dataclass

CATALOG = "glue_catalog"
TRANSACTION_TABLE = "debezium.transaction"
TRANSACTION_TOPIC = "cdc.transaction"

_IDENTIFIER = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


def quoted(identifier: str) -> str:
    """A column or table name as Spark SQL takes it, whatever characters it holds."""
    return "`" + identifier.replace("`", "``") + "`"


def literal(text: str) -> str:
    """A string literal of Spark SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@dataclass(frozen=True)
class Names:
    """`project` and `stage` as tables.yml and the deployment give them, e.g. cdc_demo and dev."""

    project: str
    stage: str

    def __post_init__(self) -> None:
        for what, value in (("project", self.project), ("stage", self.stage)):
            if not _IDENTIFIER.match(value):
                raise ValueError(f"{what} {value!r} can't be part of a table name: use letters, digits and _")

    @property
    def database(self) -> str:
        """The Glue database."""
        return f"{self.project}_{self.stage}"

    def table(self, layer: str, table_id: str) -> str:
        """The bare name of a lake table: ('silver', 'public.orders') -> cdc_demo_dev_silver_orders.

        In lower case, as Glue keeps names.
        """
        schema, _, table = table_id.rpartition(".")
        name = table if schema in ("", "public") else f"{schema}__{table}"
        return f"{self.database}_{layer}_{name.lower()}"

    def engine_table(self, name: str) -> str:
        """The bare name of one of the engine's own tables, e.g. 'landed'."""
        return f"{self.database}_{name}"

    def full(self, bare: str) -> str:
        """A bare table name with its catalog and database, quoted for Spark SQL."""
        return f"{CATALOG}.{quoted(self.database)}.{quoted(bare)}"

    def topic(self, table_id: str) -> str:
        """The Kafka topic of a table."""
        return TRANSACTION_TOPIC if table_id == TRANSACTION_TABLE else f"cdc.{table_id}"

    def landing_prefix(self, table_id: str) -> str:
        """The landing zone of a table as a key prefix."""
        return f"landing/{table_id}/"

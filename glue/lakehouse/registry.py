"""The table registry (tables.yml) as the engine needs it; functions/cdc/registry.ts checks the whole of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lakehouse.documents import parse_yaml


@dataclass(frozen=True)
class Rule:
    """A declared check: at most `max` of the rows written by the run may match the SQL predicate `where`."""

    name: str
    severity: str  # fail | warn
    where: str
    max: int = 0


@dataclass(frozen=True)
class Reference:
    """Columns taken from another silver table: on {own column: its column}, columns {own name: its name}."""

    table_id: str
    on: Mapping[str, str]
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """One captured table. `key` is None when the source's primary key decides, [] for a table without a key."""

    table_id: str
    key: tuple[str, ...] | None
    references: tuple[Reference, ...]
    rules: tuple[Rule, ...]
    bucket: int | None = None


@dataclass(frozen=True)
class Registry:
    project: str
    tables: tuple[Table, ...]

    def table(self, table_id: str) -> Table:
        """The entry of a table. Raises KeyError that says where to add it."""
        for table in self.tables:
            if table.table_id == table_id:
                return table
        raise KeyError(f"{table_id} is not in tables.yml: add an entry for it")


def qualified(name: str) -> str:
    """'orders' -> 'public.orders'; 'sales.orders' stays."""
    return name if "." in name else f"public.{name}"


def parse_registry(text: str) -> Registry:
    """The registry from the text of tables.yml."""
    return registry_of(parse_yaml(text))


def registry_of(document: Mapping[str, Any]) -> Registry:
    """The registry from what tables.yml says."""
    return Registry(
        project=document["project"],
        tables=tuple(_table(name, entry or {}) for name, entry in document["tables"].items()),
    )


def _table(name: str, entry: Mapping[str, Any]) -> Table:
    checks = entry.get("checks") or {}
    return Table(
        table_id=qualified(name),
        key=tuple(entry["key"]) if "key" in entry else None,
        references=tuple(
            Reference(qualified(r["table"]), dict(r["on"]), dict(r["columns"])) for r in entry.get("reference", [])
        ),
        rules=tuple(
            Rule(rule["name"], severity, rule["where"], int(rule.get("max", 0)))
            for severity in ("fail", "warn")
            for rule in checks.get(severity, [])
        ),
        bucket=(entry.get("silver") or {}).get("bucket"),
    )

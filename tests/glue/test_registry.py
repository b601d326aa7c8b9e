from pathlib import Path

import pytest

from lakehouse.registry import parse_registry


def test_reads_the_projects_own_registry() -> None:
    registry = parse_registry((Path(__file__).parents[2] / "tables.yml").read_text())
    orders = registry.table("public.orders")
    assert [r.table_id for r in orders.references] == ["public.users", "public.products"]
    assert orders.references[0].on == {"user_id": "id"}
    with pytest.raises(KeyError, match="add an entry"):
        registry.table("public.nothing")


def test_words_that_yaml_1_1_takes_for_booleans_stay_words() -> None:
    registry = parse_registry("project: p\nepoch: 2\ntables:\n  no: {key: [on, yes]}\n  sales.off: {key: []}\n")
    assert [(t.table_id, t.key) for t in registry.tables] == [("public.no", ("on", "yes")), ("sales.off", ())]

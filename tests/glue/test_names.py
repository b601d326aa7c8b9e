import json
from pathlib import Path

import pytest

from lakehouse.names import Names, literal, quoted

CASES = json.loads((Path(__file__).parents[1] / "fixtures" / "names.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['project']}-{c['stage']}-{c['table_id']}")
def test_names_are_those_of_the_typescript_side(case: dict[str, str]) -> None:
    names = Names(case["project"], case["stage"])
    bare = names.table(case["layer"], case["table_id"])
    assert names.database == case["glue_database"]
    assert bare == case["lake_table"]
    assert names.full(bare).replace("`", "") == case["spark_table"]
    assert names.topic(case["table_id"]) == case["topic"]
    assert names.landing_prefix(case["table_id"]) == case["landing_root"]
    for engine_table in ("landed", "quarantine", "bronze_schemas", "silver_truncations"):
        assert names.engine_table(engine_table) == case[engine_table]


@pytest.mark.parametrize("wrong", ["", "a-b", "1a", "a b", "a`; drop"])
def test_a_stage_that_is_no_identifier_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="can't be part of a table name"):
        Names("cdc_demo", wrong)


def test_quoting_survives_quotes() -> None:
    assert quoted("a`b") == "`a``b`"
    assert literal("it's a \\") == "'it\\'s a \\\\'"

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lakehouse.sqlfile import render, run_file, statements
from lakehouse.storage import FolderAssets


def test_splits_at_semicolons_that_end_statements_alone() -> None:
    sql = """
    -- a comment; with a semicolon
    SELECT ';', "a;b", `c;d`, 'it''s; \\' ;' /* and; here */ FROM t;
    ;
    SELECT 2 -- the last
    """
    assert statements(sql) == ["SELECT ';', \"a;b\", `c;d`, 'it''s; \\' ;'  FROM t", "SELECT 2"]
    assert statements("SELECT 1 /* never closed; SELECT 2") == ["SELECT 1"]


def test_an_unknown_placeholder_is_named_with_its_file() -> None:
    assert render("SELECT * FROM {source}", {"source": "`a`.`b`"}, "x.sql") == "SELECT * FROM `a`.`b`"
    with pytest.raises(ValueError, match=r"x\.sql: \{sorce\} is not known here; known are source"):
        render("SELECT * FROM {sorce}", {"source": "t"}, "x.sql")


def test_values_go_in_by_markers_and_errors_name_the_file(spark: SparkSession, tmp_path: Path) -> None:
    assets = FolderAssets(tmp_path)
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "good.sql").write_text("SELECT 1; SELECT :text AS text, id FROM {numbers};")
    (tmp_path / "sql" / "bad.sql").write_text("SELECT no_such_column;")
    (tmp_path / "sql" / "empty.sql").write_text("-- nothing\n")
    text = "it's -- {numbers} ; :text"
    rows = run_file(spark, assets, "sql/good.sql", {"numbers": "range(1)"}, {"text": text}).collect()
    assert [(row.text, row.id) for row in rows] == [(text, 0)]
    with pytest.raises(RuntimeError, match=r"^sql/bad\.sql: .*UNRESOLVED_COLUMN"):
        run_file(spark, assets, "sql/bad.sql", {})
    with pytest.raises(ValueError, match="holds no statement"):
        run_file(spark, assets, "sql/empty.sql", {})
    assert assets.list("sql") == ["sql/bad.sql", "sql/empty.sql", "sql/good.sql"]

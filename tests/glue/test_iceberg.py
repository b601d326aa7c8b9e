import pytest
from pyspark.errors import IllegalArgumentException

from lake import Lake
from lakehouse.iceberg import Consumed, IcebergTable, consumed, mark_consumed
from lakehouse.lake_tables import ensure_bronze_table, ensure_engine_tables


@pytest.fixture
def table(lake: Lake) -> IcebergTable:
    run = lake.run()
    ensure_engine_tables(run)
    return run.engine_table("silver_truncations")


def insert(table: IcebergTable, batch: int, branch: str | None = None) -> None:
    target = table.on(branch) if branch else table.name
    table.spark.sql(f"INSERT INTO {target} (table_id, batch) VALUES ('t', {batch})")


def batches(table: IcebergTable, snapshot_id: int | None = None) -> list[int]:
    rows = (table.at(snapshot_id) if snapshot_id else table.spark.table(table.name)).select("batch").collect()
    return sorted(row.batch for row in rows)


def test_a_branch_shows_in_main_once_it_is_published(table: IcebergTable) -> None:
    assert (table.snapshot_id(), table.summary()) == (None, {})
    table.create_branch("first")  # main has no snapshot yet
    insert(table, 1, "first")
    assert batches(table) == []
    assert table.summary("first")["added-records"] == "1"
    table.publish("first")
    assert batches(table) == [1]
    assert list(table.refs("BRANCH")) == ["main"]
    assert table.summary()["snapshot-id"] == str(table.snapshot_id())

    table.create_branch("second")
    insert(table, 2, "second")
    table.create_branch("second")  # starts again from main
    insert(table, 3, "second")
    table.fast_forward("second")
    assert batches(table) == [1, 3]
    table.drop_branch("second")
    table.drop_branch("second")
    assert list(table.refs("BRANCH")) == ["main"]


def test_a_branch_is_refused_once_main_has_moved(table: IcebergTable) -> None:
    insert(table, 1)
    table.create_branch("audit")
    insert(table, 2, "audit")
    insert(table, 3)
    for publish in (table.publish, table.fast_forward):
        with pytest.raises(IllegalArgumentException, match="main is not an ancestor of audit"):
            publish("audit")
    assert batches(table) == [1, 3]

    table.publish_append("audit")
    assert batches(table) == [1, 2, 3]
    assert list(table.refs("BRANCH")) == ["main"]
    table.create_branch("next")
    insert(table, 4, "next")
    table.publish_append("next")
    assert batches(table) == [1, 2, 3, 4]


def test_a_consumers_tag_moves_and_the_highest_counts(table: IcebergTable) -> None:
    insert(table, 1)
    first = table.snapshot_id()
    assert first and consumed(table, "gold_x") is None
    mark_consumed(table, "gold_x", Consumed(1, first))
    mark_consumed(table, "gold_x_y", Consumed(7, first))
    insert(table, 2)
    second = table.snapshot_id()
    assert second
    table.tag("gold_x_b2", second)  # as after a crash between the new tag and the end of the old one
    assert consumed(table, "gold_x") == Consumed(2, second)
    mark_consumed(table, "gold_x", Consumed(2, second))
    assert set(table.refs("TAG")) == {"gold_x_b2", "gold_x_y_b7"}
    assert batches(table, first) == [1]
    table.drop_tag("gold_x_b2")
    table.drop_tag("gold_x_b2")
    assert consumed(table, "gold_x") is None


def test_tables_carry_the_lakes_properties_and_comments(lake: Lake) -> None:
    run = lake.run()
    ensure_engine_tables(run)
    bronze = ensure_bronze_table(run, "public.users")
    assert bronze.exists()
    assert not run.layer_table("bronze", "public.orders").exists()
    bronze.set_properties({"cdc.note": "a"})
    properties = bronze.properties()
    assert properties["cdc.note"] == "a"
    assert properties["write.merge.mode"] == "merge-on-read"
    described = {row.col_name: row.comment for row in lake.sql(f"DESCRIBE {bronze.name}")}
    assert described["payload"] == "Exact text of Debezium's payload"
    assert all(described[name] for name in bronze.spark.table(bronze.name).columns)

"""Silver's rules of truth, each by its behaviour."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from lake import Lake
from lakehouse import silver
from lakehouse.report import Report, TableReport
from recorded import recorded_packs
from source import Source, Topic

NewLake = Callable[[str | None], Lake]
THINGS = "project: cdc_demo\nepoch: 1\ntables:\n  things: {}\n"
COLUMNS = [("id", "int", "number"), ("name", "string", "string"), ("big", "string", "string")]


def run_silver(lake: Lake, **changes: Any) -> Report:
    run = lake.run("silver", **changes)
    report = run.new_report()
    silver.run(run, report)
    return report


def deliver(lake: Lake, *topics: Topic) -> Report:
    """Lands what the topics have, runs bronze and silver."""
    for topic in topics:
        for pack in topic.packs():
            lake.land(pack)
    lake.bronze()
    return run_silver(lake)


def entry(report: Report, table: str = "public.things") -> TableReport:
    return next(t for t in report.tables if t.table == table)


def shown(lake: Lake, *columns: str, table: str = "public.things", order: str = "1") -> list[tuple[Any, ...]]:
    """Rows of silver as tuples."""
    return [tuple(row) for row in lake.rows("silver", table, columns, order)]


def thing(id: int, name: str = "a", big: str | None = None) -> dict[str, Any]:
    return {"id": id, "name": name, "big": big}


@pytest.fixture
def things(new_lake: NewLake) -> tuple[Lake, Source, Topic]:
    source = Source()
    return new_lake(THINGS), source, source.table("public.things", COLUMNS, ["id"])


Things = tuple[Lake, Source, Topic]


def test_a_deleted_row_keeps_its_values_and_comes_back_when_inserted_again(things: Things) -> None:
    lake, _, topic = things
    for id in (1, 2):
        topic.snapshot(thing(id, f"n{id}"))
    deliver(lake, topic)
    deleted = topic.delete({"id": 1, "name": "", "big": None})
    report = deliver(lake, topic)
    assert shown(lake, "id", "name", "is_active", "date_format(deleted_at, 'ss.SSS')") == [
        (1, "n1", False, deleted["source_ts"][17:23]),
        (2, "n2", True, None),
    ]
    assert (entry(report).rows_in, entry(report).rows_out, entry(report).total_rows) == (1, 1, 2)
    assert report.extra["manifest"]["public.things"] == {"snapshot_id": entry(report).snapshot_id, "batch": 2}

    topic.insert(thing(1, "again"))
    deliver(lake, topic)
    assert shown(lake, "id", "name", "is_active", "deleted_at", "_batch") == [
        (1, "again", True, None, 3),
        (2, "n2", True, None, 1),
    ]


def test_an_unchanged_value_comes_from_silver_or_from_the_same_incarnation_only(things: Things) -> None:
    lake, source, topic = things
    for id in (1, 2, 3):
        topic.snapshot(thing(id, "a", f"BIG{id}"))
    deliver(lake, topic)
    topic.update(thing(1, "b", "token"), unchanged=["big"])
    topic.update(thing(2, "b", "NEW"))
    topic.update(thing(2, "c", "token"), unchanged=["big"])
    tx = source.begin()
    topic.delete(thing(3), tx)
    topic.insert(thing(3, "c", None), tx)
    topic.update(thing(3, "d", "token"), tx=tx, unchanged=["big"])
    tx.commit()
    deliver(lake, topic)
    assert shown(lake, "id", "name", "big", "quality_flags") == [
        (1, "b", "BIG1", []),
        (2, "c", "NEW", []),
        (3, "d", None, []),
    ]


def test_an_unchanged_value_that_nobody_knows_is_null_and_says_so(things: Things) -> None:
    lake, _, topic = things
    topic.update(thing(1, "b", "token"), unchanged=["big"])
    topic.delete(thing(2))
    deliver(lake, topic)
    topic.update(thing(1, "c", "token"), unchanged=["big"])
    deliver(lake, topic)
    assert shown(lake, "id", "name", "big", "is_active", "quality_flags") == [
        (1, "c", None, True, ["big: unchanged value unknown"]),
        (2, None, None, False, []),
    ]
    topic.update(thing(1, "d", "known"))
    deliver(lake, topic)
    assert shown(lake, "id", "big", "quality_flags") == [(1, "known", []), (2, None, [])]


def test_a_key_change_takes_unchanged_values_along_also_when_its_delete_came_in_an_earlier_batch(
    things: Things,
) -> None:
    lake, _, topic = things
    topic.snapshot(thing(1, "a", "BIG1"))
    topic.snapshot(thing(2, "a", "BIG2"))
    deliver(lake, topic)
    topic.change_key(thing(1), thing(11, "moved", "token"), unchanged=["big"])
    topic.change_key(thing(2), thing(12, "moved", "token"), unchanged=["big"])
    *before, last = topic.packs(size=1)
    lake.land(*before)
    lake.bronze()
    run_silver(lake)
    assert [row[0] for row in shown(lake, "id")] == [1, 2, 11]
    lake.land(last)
    lake.bronze()
    run_silver(lake)
    assert shown(lake, "id", "name", "big", "is_active", "quality_flags") == [
        (1, "a", "BIG1", False, []),
        (2, "a", "BIG2", False, []),
        (11, "moved", "BIG1", True, []),
        (12, "moved", "BIG2", True, []),
    ]


def test_swapped_keys_and_chains_of_key_changes_keep_their_own_values(things: Things) -> None:
    lake, source, topic = things
    for id in (1, 2, 3):
        topic.snapshot(thing(id, "a", f"BIG{id}"))
    deliver(lake, topic)
    tx = source.begin()
    for old, new in ((1, -1), (2, 1), (-1, 2)):
        topic.change_key(thing(old), thing(new, "swapped", "token"), tx, unchanged=["big"])
    tx.commit()
    for step in range(6):
        topic.change_key(thing(3 + step), thing(4 + step, "chained", "token"), unchanged=["big"])
    deliver(lake, topic)
    active = [row for row in shown(lake, "id", "name", "big", "is_active") if row[3]]
    assert active == [(1, "swapped", "BIG2", True), (2, "swapped", "BIG1", True), (9, "chained", "BIG3", True)]
    assert all(flags == [] for (flags,) in shown(lake, "quality_flags"))


def test_events_sent_again_change_nothing_even_beside_new_ones(things: Things) -> None:
    lake, _, topic = things
    first = [topic.insert(thing(1, "a", "OLD")), topic.update(thing(1, "b", "NEW")), topic.insert(thing(2))]
    deliver(lake, topic)
    for event in first:
        topic.send_again(event)
    report = deliver(lake, topic)
    assert (entry(report).duplicates, entry(report).rows_out, entry(report).published) == (3, 0, False)

    topic.send_again(first[0])
    topic.update(thing(1, "c", "token"), unchanged=["big"])
    topic.send_again(first[2])
    topic.delete(thing(2))
    report = deliver(lake, topic)
    assert entry(report).duplicates == 2
    assert shown(lake, "id", "name", "big", "is_active") == [(1, "c", "NEW", True), (2, "a", None, False)]


def test_a_transaction_that_outlived_an_incremental_snapshot_wins_over_it(things: Things) -> None:
    lake, source, topic = things
    topic.snapshot(thing(1, "old", "BIG"), commit_lsn=None)
    early = source.next_lsn()
    source.committed = source.next_lsn()
    topic.snapshot(thing(1, "old", "BIG"), snapshot="incremental", tx_id=None)
    topic.update(thing(1, "long tx", "token"), lsn=early, unchanged=["big"])
    deliver(lake, topic)
    assert shown(lake, "id", "name", "big", "_lsn") == [(1, "long tx", "BIG", early)]


def test_the_first_transaction_after_a_start_ranks_above_the_snapshot(things: Things) -> None:
    lake, _, topic = things
    topic.snapshot(thing(1, "snapshot"), commit_lsn=None, lsn=5000)
    topic.snapshot(thing(2, "snapshot"), commit_lsn=None, lsn=5000)
    topic.update(thing(1, "in one batch"), commit_lsn=None, lsn=4990)
    deliver(lake, topic)
    topic.update(thing(2, "in the next batch"), commit_lsn=None, lsn=4991)
    deliver(lake, topic)
    assert shown(lake, "id", "name", "_commit_lsn", "_tx_order") == [
        (1, "in one batch", 5000, 1),
        (2, "in the next batch", 5000, 1),
    ]


def test_a_truncate_ends_what_is_older_and_stamps_it(things: Things) -> None:
    lake, _, topic = things
    for id in (1, 2, 3):
        topic.snapshot(thing(id))
    deleted = topic.delete(thing(3))
    deliver(lake, topic)
    first = topic.truncate()
    topic.insert(thing(2, "between"))
    second = topic.truncate()
    inserted = topic.insert(thing(4, "after"))
    report = deliver(lake, topic)

    def ended_by(event: dict[str, Any]) -> tuple[Any, ...]:
        return (False, int(event["lsn"]), event["source_ts"][17:23])

    assert shown(lake, "id", "name", "is_active", "_lsn", "date_format(deleted_at, 'ss.SSS')") == [
        (1, "a", *ended_by(first)),
        (2, "between", *ended_by(second)),
        (3, "a", *ended_by(deleted)),
        (4, "after", True, int(inserted["lsn"]), None),
    ]
    assert entry(report).duplicates == 0
    stored = lake.rows("silver_truncations", columns=["lsn"])
    assert [row.lsn for row in stored] == [int(first["lsn"]), int(second["lsn"])]


def test_an_event_older_than_a_known_truncate_is_taken_as_ended(things: Things) -> None:
    lake, source, topic = things
    early = source.next_lsn()
    topic.snapshot(thing(1))
    truncated = topic.truncate()
    deliver(lake, topic)
    topic.insert(thing(7, "late"), lsn=early, commit_lsn=early - 4)
    topic.insert(thing(8, "new"))
    deliver(lake, topic)
    assert shown(lake, "id", "name", "is_active", "_lsn = " + truncated["lsn"]) == [
        (1, "a", False, True),
        (7, "late", False, True),
        (8, "new", True, False),
    ]


def test_a_truncate_of_a_table_never_seen_is_kept_for_what_comes_later(things: Things) -> None:
    lake, _, topic = things
    topic.truncate(commit_lsn=500)
    assert entry(deliver(lake, topic)).held is None
    topic.insert(thing(7), lsn=400, commit_lsn=390)
    topic.insert(thing(8))
    deliver(lake, topic)
    assert shown(lake, "id", "is_active") == [(7, False), (8, True)]


def test_silver_waits_at_a_gap_and_goes_on_when_it_is_filled(things: Things) -> None:
    lake, _, topic = things
    for n in range(6):
        topic.insert(thing(n)) if n < 3 else topic.update(thing(n - 3, "b"))
    packs = topic.packs(size=2)
    lake.land(packs[0])
    lake.land(packs[2])
    lake.bronze()
    run_silver(lake)
    assert shown(lake, "id", "name") == [(0, "a"), (1, "a")]
    lake.land(packs[1])
    lake.bronze()
    report = run_silver(lake)
    assert (entry(report).rows_in, entry(report).late) == (4, 0)
    assert shown(lake, "id", "name", "_batch") == [(0, "b", 2), (1, "b", 2), (2, "b", 2)]


def test_what_comes_behind_the_frontier_is_counted_and_stays_in_bronze(things: Things) -> None:
    lake, _, topic = things
    topic.insert(thing(1))
    topic.quarantine()
    deliver(lake, topic)
    repair(lake, offset=1)
    report = run_silver(lake)
    assert (entry(report).rows_in, entry(report).late) == (0, 1)
    assert [(c.name, c.severity, c.passed) for c in entry(report).checks] == [("behind_the_frontier", "warn", False)]
    assert entry(run_silver(lake)).late == 0
    assert shown(lake, "id", "_batch") == [(1, 1)]


def repair(lake: Lake, offset: int) -> None:
    """Puts an event at a quarantined offset as batch 2, as a replay from the quarantine does."""
    bronze, landed = lake.name("bronze", "public.things"), lake.name("landed")
    place = f"{offset}L AS offset, 2L AS batch"
    lake.sql(f"INSERT INTO {bronze} BY NAME SELECT * EXCEPT (offset, batch), {place} FROM {bronze}")
    pack = f"{offset}L AS from_offset, {offset}L AS to_offset, 1L AS accepted, 2L AS batch"
    kept = "* EXCEPT (from_offset, to_offset, accepted, batch)"
    lake.sql(f"INSERT INTO {landed} BY NAME SELECT {kept}, {pack} FROM {landed}")


def test_a_run_without_news_writes_nothing(things: Things) -> None:
    lake, _, topic = things
    topic.insert(thing(1))
    first = deliver(lake, topic)
    tags = lake.run().engine_table("landed").refs("TAG")
    again = run_silver(lake)
    assert entry(again).snapshot_id == entry(first).snapshot_id
    assert not entry(again).published
    assert lake.run().engine_table("landed").refs("TAG") == tags
    assert list(tags) == ["silver_public.things_b1"]


def test_columns_are_added_and_widened_as_the_source_does(things: Things) -> None:
    lake, source, _ = things
    topic = source.table(
        "public.things",
        [
            ("id", "int", "number"),
            ("n", "int", "number"),
            ("d", "decimal(5,2)", "decimal-string"),
            ("f", "float", "float"),
            ("a", "array<int>", "array:number"),
            ("gone", "string", "string"),
        ],
        ["id"],
    )
    topic.insert({"id": 1, "n": 5, "d": "1.50", "f": 1.5, "a": [1, None], "gone": "x"})
    deliver(lake, topic)
    topic.set_columns(
        [
            ("id", "bigint", "number"),
            ("n", "bigint", "number"),
            ("d", "decimal(12,2)", "decimal-string"),
            ("f", "double", "float"),
            ("a", "array<bigint>", "array:number"),
            ("new", "date", "epoch-days"),
        ]
    )
    topic.update({"id": 1, "n": 2**40, "d": "1234567890.25", "f": 0.1, "a": [2**40], "new": 19782})
    topic.insert({"id": 2**40, "n": None, "d": None, "f": None, "a": None, "new": None})
    deliver(lake, topic)
    assert shown(lake, "id", "n", "d", "f", "a", "gone", "CAST(new AS STRING)") == [
        (1, 2**40, Decimal("1234567890.25"), 0.1, [2**40], None, "2024-02-29"),
        (2**40, None, None, None, None, None, None),
    ]
    topic.set_columns([("id", "bigint", "number"), ("n", "int", "number"), ("d", "decimal(4,1)", "decimal-string")])
    topic.update({"id": 1, "n": 7, "d": "9.5"})
    assert entry(deliver(lake, topic)).held is None
    assert shown(lake, "n", "d", order="id")[0] == (7, Decimal("9.50"))


def test_a_change_of_kind_holds_its_table_alone_until_it_is_made_anew_as_text(new_lake: NewLake) -> None:
    lake, source = new_lake(THINGS + "  others: {}\n"), Source()
    topic = source.table("public.things", [("id", "int", "number"), ("v", "string", "string")], ["id"])
    other = source.table("public.others", COLUMNS, ["id"])
    topic.insert({"id": 1, "v": "one"})
    deliver(lake, topic)
    topic.set_columns([("id", "int", "number"), ("v", "int", "number")])
    topic.insert({"id": 2, "v": 2})
    other.insert(thing(1))
    report = deliver(lake, topic, other)
    assert entry(report).held == (
        "public.things: column v changed its type from string to int, which its lake column can't become. Drop the "
        "silver table: the next run makes it anew from bronze, with this column as text"
    )
    assert entry(report, "public.others").published
    assert shown(lake, "id", "v") == [(1, "one")]
    lake.sql(f"DROP TABLE {lake.name('silver', 'public.things')}")
    assert entry(run_silver(lake)).held is None
    topic.insert({"id": 3, "v": 3})
    deliver(lake, topic)
    assert shown(lake, "id", "v") == [(1, "one"), (2, "2"), (3, "3")]


def test_values_that_the_lake_can_not_hold_are_null_and_named(things: Things) -> None:
    lake, source, _ = things
    topic = source.table(
        "public.things",
        [
            ("id", "int", "number"),
            ("d", "decimal(38,10)", "decimal-string"),
            ("t", "timestamp", "iso-timestamp"),
            ("a", "array<date>", "array:epoch-days"),
            ("s", "array<decimal(5,2)>", "array:decimal-string"),
        ],
        ["id"],
    )
    topic.insert({"id": 1, "d": "NAN", "t": "infinity", "a": [19782, 999999999], "s": None})
    topic.insert({"id": 2, "d": "1.5", "t": "2024-02-29T11:14:15.123456Z", "a": None, "s": ["1.10"]})
    deliver(lake, topic)
    assert shown(lake, "d", "t", "CAST(a AS STRING)", "quality_flags", order="id")[0] == (
        None,
        None,
        "[2024-02-29, null]",
        ["d: unrepresentable NAN", "t: unrepresentable infinity", "a: unrepresentable 999999999"],
    )
    assert shown(lake, "quality_flags", order="id")[1] == ([],)
    topic.update({"id": 1, "d": "token", "t": "2024-01-01T00:00:00Z", "a": [], "s": None}, unchanged=["d"])
    topic.update({"id": 2, "d": "2.5", "t": None, "a": None, "s": None})
    deliver(lake, topic)
    assert [sorted(flags) for (flags,) in shown(lake, "quality_flags", order="id")] == [
        ["d: unrepresentable NAN", "s: null or unchanged"],
        ["s: null or unchanged"],
    ]


def test_a_source_column_with_a_name_of_the_engine_is_kept_under_another(things: Things) -> None:
    lake, source, _ = things
    topic = source.table(
        "public.things",
        [
            ("id", "int", "number"),
            ("is_active", "boolean", "boolean"),
            ("deleted_at", "string", "string"),
            ("__op", "string", "string"),
            ("a.b`c", "string", "string"),
        ],
        ["id"],
    )
    topic.insert({"id": 1, "is_active": False, "deleted_at": "soft", "__op": "x", "a.b`c": "odd"})
    deliver(lake, topic)
    assert shown(
        lake, "source_is_active", "source_deleted_at", "source___op", "`a.b``c`", "is_active", "deleted_at"
    ) == [(False, "soft", "x", "odd", True, None)]


def test_a_table_without_a_key_is_a_history_of_its_events_each_once(things: Things) -> None:
    lake, source, _ = things
    topic = source.table("public.things", [("a", "int", "number"), ("b", "string", "string")], [])
    topic.snapshot({"a": 1, "b": "x"}, lsn=1000)
    topic.snapshot({"a": 1, "b": "x"}, lsn=1000)
    sent = topic.insert({"a": 2, "b": "y"})
    deliver(lake, topic)
    topic.send_again(sent)
    topic.update({"a": 2, "b": "z"}, before={"a": 2, "b": "y"})
    topic.delete({"a": 1, "b": "x"})
    topic.truncate()
    report = deliver(lake, topic)
    assert (entry(report).rows_in, entry(report).rows_out, entry(report).duplicates) == (4, 3, 1)
    topic.send_again(sent)
    report = deliver(lake, topic)
    assert (entry(report).published, entry(report).duplicates) == (False, 1)
    assert shown(lake, "_op", "a", "b", "_batch", order="_kafka_offset") == [
        ("r", 1, "x", 1),
        ("r", 1, "x", 1),
        ("c", 2, "y", 1),
        ("u", 2, "z", 2),
        ("d", 1, "x", 2),
        ("t", None, None, 2),
    ]


def test_a_key_of_several_columns_with_any_characters_works(things: Things) -> None:
    lake, source, _ = things
    topic = source.table(
        "public.things",
        [("k 1", "string", "string"), ("k2", "date", "epoch-days"), ("v", "int", "number")],
        ["k 1", "k2"],
    )
    odd = 'it\'s {a} \\ "b" 漢字'
    topic.insert({"k 1": odd, "k2": 19782, "v": 1})
    deliver(lake, topic)
    topic.update({"k 1": odd, "k2": 19782, "v": 2})
    topic.insert({"k 1": odd, "k2": 19783, "v": 3})
    deliver(lake, topic)
    topic.update({"k 1": odd, "k2": 19782, "v": 4})
    deliver(lake, topic)
    assert shown(lake, "`k 1`", "CAST(k2 AS STRING)", "v", order="v") == [
        (odd, "2024-03-01", 3),
        (odd, "2024-02-29", 4),
    ]


def test_a_large_table_can_be_bucketed_by_its_key(new_lake: NewLake) -> None:
    lake = new_lake("project: cdc_demo\nepoch: 1\ntables:\n  things: {silver: {bucket: 4}}\n")
    topic = Source().table("public.things", COLUMNS, ["id"])
    for id in range(20):
        topic.snapshot(thing(id))
    deliver(lake, topic)
    for id in range(0, 25, 5):
        topic.update(thing(id, "b")) if id < 20 else topic.insert(thing(id, "b"))
    assert entry(deliver(lake, topic)).held is None
    assert [id for id, name in shown(lake, "id", "name") if name == "b"] == [0, 5, 10, 15, 20]
    partitions = lake.sql(f"SELECT count(DISTINCT partition) AS n FROM {lake.name('silver', 'public.things')}.files")
    assert partitions[0].n == 4


def test_a_key_that_is_not_silvers_holds_the_table(things: Things) -> None:
    lake, _, topic = things
    topic.insert(thing(1))
    deliver(lake, topic)
    lake.set_tables("project: cdc_demo\nepoch: 1\ntables:\n  things: {key: [name]}\n")
    topic.insert(thing(2))
    assert "put the old one back, or drop the silver table" in (entry(deliver(lake, topic)).held or "")
    lake.set_tables(THINGS)
    topic.insert(thing(3), key=None)
    assert "have no key" in (entry(deliver(lake, topic)).held or "")
    assert shown(lake, "id") == [(1,)]


def test_a_later_epoch_ranks_above_everything_before(new_lake: NewLake) -> None:
    lake = new_lake(THINGS)
    old = Source(first_lsn=900_000).table("public.things", COLUMNS, ["id"])
    old.insert(thing(1, "old"))
    deliver(lake, old)
    lake.set_tables(THINGS.replace("epoch: 1", "epoch: 2"))
    new = Source(epoch=2, cluster="kafka-2", first_lsn=100).table("public.things", COLUMNS, ["id"])
    new.snapshot(thing(1, "new"), commit_lsn=None)
    deliver(lake, new)
    assert shown(lake, "name", "_epoch") == [("new", 2)]


def test_a_new_epoch_in_the_same_topic_waits_for_the_old_one_and_ranks_above_it(new_lake: NewLake) -> None:
    lake = new_lake(THINGS)
    old = Source(first_lsn=900_000).table("public.things", COLUMNS, ["id"])
    old.insert(thing(1, "old"))
    deliver(lake, old)
    old.update(thing(1, "last"))
    old.insert(thing(2, "last"))
    under_way = old.packs()
    new = Source(epoch=2, first_lsn=100).table("public.things", COLUMNS, ["id"])
    new.next_offset = old.next_offset
    new.snapshot(thing(1, "new"), commit_lsn=None)
    deliver(lake, new)
    assert shown(lake, "id", "name", "_epoch") == [(1, "old", 1)]
    lake.land(*under_way)
    new.insert(thing(3, "new"))
    deliver(lake, new)
    assert shown(lake, "id", "name", "_epoch") == [(1, "new", 2), (2, "last", 1), (3, "new", 2)]
    new.update(thing(3, "newer"))
    deliver(lake, new)
    assert shown(lake, "id", "name", "_epoch") == [(1, "new", 2), (2, "last", 1), (3, "newer", 2)]


def test_recorded_events_of_the_sample_tables_end_as_their_scenario_says(lake: Lake) -> None:
    for pack in recorded_packs("users", "products", "orders"):
        lake.land(pack)
    lake.bronze()
    report = run_silver(lake)
    assert [t.held for t in report.tables] == [None, None, None]
    orders = shown(
        lake, "id", "status", "left(notes, 10)", "length(notes)", "user_name", "is_active", table="public.orders"
    )
    assert [row for row in orders if row[5]] == [
        (1, "shipped", None, None, "Ada", True),
        (3, "cancelled", 'said "no" ', 16, "Edsger", True),
        (4, "pending", None, None, "Ada", True),
        (5, "pending", None, None, "Grace", True),
        (20, "paid", None, None, "Grace", True),
    ]
    assert [(row[0], row[3]) for row in orders if not row[5]] == [(2, 4000)]
    assert shown(lake, "id", "vip", "email_domain", table="public.users")[0] == (1, True, "example.com")
    assert shown(lake, "id", "price", "price_category", table="public.products")[1] == (2, Decimal("1249.00"), "High")

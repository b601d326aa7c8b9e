"""Bronze on a real Spark and Iceberg: what lands is there once, whatever the landing files look like."""

import gzip
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from lake import Lake
from lakehouse import landing
from lakehouse.report import Report, TableReport
from recorded import recorded_packs
from source import Source, Topic, compact

USERS = [("id", "int", "number"), ("name", "string", "string")]


def users(source: Source) -> Topic:
    return source.table("public.users", USERS, key=["id"])


def some_users(source: Source, count: int) -> list[dict[str, Any]]:
    topic = users(source)
    for n in range(count):
        topic.insert({"id": n, "name": f"user {n}"})
    return topic.packs(size=2)


def table_report(report: Report, table_id: str = "public.users") -> TableReport:
    return next(t for t in report.tables if t.table == table_id)


def offsets(lake: Lake, table_id: str = "public.users") -> list[int]:
    return [row.offset for row in lake.rows("bronze", table_id, ["offset"])]


def quarantine(lake: Lake) -> list[tuple[str, str]]:
    return [
        (row.src_file, row.reason_code)
        for row in lake.rows("quarantine", columns=["src_file", "reason_code"], order="1, 2")
    ]


def exact_field(payload: str, field: str) -> str | None:
    """The text of a field of a JSON object as it stands there."""
    decoder = json.JSONDecoder()
    at = 1
    while payload[at : at + 1] == '"':
        name, at = decoder.raw_decode(payload, at)
        _, end = decoder.raw_decode(payload, at + 1)
        if name == field:
            return None if payload[at + 1 : end] == "null" else payload[at + 1 : end]
        at = end + 1
    return None


RECORDED = ["users", "products", "orders", "every-type", "keyless-and-truncate", "transaction", "unchanged-out-of-line"]


def test_recorded_events_arrive_with_every_field_and_every_byte(new_lake: Callable[[str], Lake]) -> None:
    packs = [pack for name in RECORDED for pack in recorded_packs(name)]
    tables = sorted({pack["table"] for pack in packs} - {"debezium.transaction"})
    lake = new_lake("project: cdc_demo\nepoch: 1\ntables:\n" + "".join(f"  {t}: {{}}\n" for t in tables))
    for pack in packs:
        lake.land(pack)

    report = lake.bronze()

    for table_id in [*tables, "debezium.transaction"]:
        expected = [(pack, event) for pack in packs if pack["table"] == table_id for event in pack["events"]]
        rows = lake.rows(
            "bronze",
            table_id,
            ["*", "unix_millis(kafka_ts) AS ts", "date_format(source_ts, 'HH:mm:ss.SSSSSS') AS at"],
            "offset",
        )
        assert len(rows) == len(expected) > 0
        for row, (pack, event) in zip(rows, expected, strict=True):
            for name in ("offset", "commit_lsn", "lsn", "tx_id", "tx_order"):
                assert (None if row[name] is None else str(row[name])) == event[name], name
            for name in ("op", "snapshot", "key", "prior_key", "unchanged", "payload"):
                assert row[name] == event[name], name
            assert row.before == exact_field(event["payload"], "before")
            assert row.after == exact_field(event["payload"], "after")
            assert str(row.ts) == event["kafka_ts"]
            assert row["at"] == (event["source_ts"] and event["source_ts"][11:26])
            assert (row.epoch, row.cluster, row.topic, row.partition) == (1, "recorded", pack["topic"], 0)
            assert (row.schema_id, row.batch) == (pack["schema_id"], 1)
        written = table_report(report, table_id)
        assert (written.rows_in, written.rows_out, written.duplicates, written.total_rows) == (
            len(rows),
            len(rows),
            0,
            len(rows),
        )

    schemas = {(row.table_id, row.schema_id): [c.asDict() for c in row.columns] for row in lake.rows("bronze_schemas")}
    assert schemas == {(p["table"], p["schema_id"]): p["columns"] for p in packs if p["schema_id"]}
    assert {p["topic"]: p["frontier"] for p in report.extra["partitions"]}["cdc.public.orders"] == "18"


def test_values_that_json_readers_round_or_escape_stay_as_they_are(lake: Lake) -> None:
    after = (
        '{"id":9223372036854775807,"big":123456789012345678901234567890,"d":1.7976931348623157E308,"f":1.0E-5,'
        '"u":"é ☃ 🎈 \\u0001 \\" \\\\ /",'
        '"doc":"{\\"a\\": [1, 2.50, \\"}{\\\\\\"pack\\\\\\":\\"]}","nested":{"x":[1,null]}}'
    )
    payload = f'{{"before":null,"after":{after},"op":"c"}}'
    topic = users(Source())
    topic.insert({"id": 1}, payload=payload)
    topic.insert({"id": 2}, payload='{"before":{"after":"x"},"after":null}')
    topic.insert({"id": 3}, payload='not "json" {"pack":1}')
    lake.land(*topic.packs())

    lake.bronze()

    first, second, third = lake.rows("bronze", "public.users", ["payload", "before", "after"], "offset")
    assert (first.payload, first.before) == (payload, None)
    assert first.after == after.replace("🎈", "\\uD83C\\uDF88")  # printed again by Spark: the same value
    assert (second.before, second.after) == ('{"after":"x"}', None)
    assert (third.payload, third.before, third.after) == ('not "json" {"pack":1}', None, None)


def test_redelivered_and_overlapping_packs_add_nothing(lake: Lake) -> None:
    source = Source()
    topic = users(source)
    for n in range(6):
        topic.insert({"id": n, "name": "a"})
    topic.quarantine()
    events = topic.packs()[0]

    def part(start: int, end: int) -> dict[str, Any]:
        return {
            **events,
            "from_offset": str(start),
            "to_offset": str(end),
            "events": [e for e in events["events"] if start <= int(e["offset"]) <= end],
            "quarantined": [q for q in events["quarantined"] if start <= int(q["offset"]) <= end],
        }

    lake.land(part(0, 2), part(0, 2), part(1, 3))
    lake.land(part(2, 3))
    first = table_report(lake.bronze())
    assert offsets(lake) == [0, 1, 2, 3]
    assert (first.rows_in, first.rows_out, first.duplicates) == (11, 4, 7)
    accepted = lake.rows("landed", columns=["accepted"], order="src_file, line")
    assert [row.accepted for row in accepted] == [3, 0, 1, 0]

    lake.land(part(0, 6))
    second = table_report(lake.bronze())
    assert offsets(lake) == [0, 1, 2, 3, 4, 5]
    assert (second.rows_out, second.duplicates, second.quarantined, second.total_rows) == (2, 4, 1, 6)

    lake.land(part(0, 6))
    third = table_report(lake.bronze())
    assert (third.rows_out, third.duplicates, third.quarantined, third.batch) == (0, 6, 0, 3)
    assert offsets(lake) == [0, 1, 2, 3, 4, 5]
    assert len(lake.rows("quarantine")) == 1
    assert len(lake.rows("bronze_schemas")) == 1


def test_reads_packs_however_a_pipes_target_joins_them(lake: Lake) -> None:
    packs = [compact(pack) for pack in some_users(Source(), 16)]
    lines = [
        packs[0] + packs[1],
        json.dumps(packs[2]),
        json.dumps(packs[3]) + json.dumps(packs[4]),
        f"[{packs[5]},{packs[6]}]",
        "",
        f"  {packs[7]}  ",
    ]
    lake.land_bytes("public.users", gzip.compress("\n".join(lines).encode()))

    report = lake.bronze()

    assert offsets(lake) == list(range(16))
    assert table_report(report).quarantined == 0
    landed = lake.rows("landed", columns=["line", "from_offset"], order="from_offset")
    assert [row.line for row in landed] == [1, 1, 2, 3, 3, 4, 4, 6]


def test_what_cannot_be_read_is_quarantined_and_stops_nothing_else(lake: Lake) -> None:
    source = Source()
    packs = some_users(source, 14)
    good = gzip.compress((compact(packs[0]) + "\n").encode())
    whole = lake.land(packs[0])
    truncated = lake.land_bytes("public.users", gzip.compress(compact(packs[1]).encode() * 50)[:-60])
    rubbish = lake.land_bytes("public.users", b"\x00\x01 no gzip at all")
    damaged = lake.land_bytes("public.users", good[:-9] + bytes([good[-9] ^ 255]) + good[-8:])
    empty = lake.land_bytes("public.users", gzip.compress(b""))
    cut_line = compact(packs[3])[:200]
    lines = lake.land_bytes(
        "public.users",
        gzip.compress(f"{compact(packs[2])}\nno json\n{cut_line}\n[]\n42\n{compact(packs[2])} rubbish\n".encode()),
    )
    wrong = lake.land(
        {**packs[4], "pack": 2},
        {**packs[4], "epoch": "two"},
        {**packs[4], "epoch": 0},
        {**packs[4], "topic": "cdc.public.orders"},
        {**packs[4], "to_offset": "8"},
        {**packs[4], "partition": None},
        {**packs[4], "events": [packs[4]["events"][0]] * 2},
        {**packs[4], "events": "none"},
    )
    elsewhere = lake.land_bytes("public.orders", gzip.compress(compact(packs[5]).encode()))

    report = lake.bronze()

    assert offsets(lake) == [0, 1, 4, 5]
    assert quarantine(lake) == sorted(
        [
            *((key, "unreadable-file") for key in (truncated, rubbish, damaged)),
            *((lines, "unreadable-line") for _ in range(5)),
            (wrong, "unknown-pack-version"),
            (wrong, "wrong-epoch"),
            (wrong, "wrong-epoch"),
            (wrong, "wrong-table"),
            *((wrong, "malformed-pack") for _ in range(4)),
            (elsewhere, "wrong-table"),
        ]
    )
    raw = {bytes(row.raw_value) for row in lake.rows("quarantine", columns=["raw_value"]) if row.raw_value}
    assert {b"no json", b"[]", b"42", cut_line.encode(), compact(packs[5]).encode()} <= raw
    assert {row.state for row in lake.rows("quarantine", columns=["state"])} == {"open"}

    users_report = table_report(report)
    assert users_report.quarantined == 16
    check = next(c for c in users_report.checks if c.name == "quarantined")
    assert (check.severity, check.value, check.passed) == ("warn", 16, False)

    files = lake.rows("landed", columns=["src_file", "from_offset", "quarantined"], order="src_file")
    assert {row.src_file for row in files} == {whole, truncated, rubbish, damaged, empty, lines, wrong, elsewhere}
    without_packs = {row.src_file: row.quarantined for row in files if row.from_offset is None}
    assert without_packs == {truncated: 1, rubbish: 1, damaged: 1, empty: 0, wrong: 8, elsewhere: 1}

    again = lake.bronze()
    assert again.batch == 1
    assert again.extra["listing"]["left"] == 0


def test_records_that_the_enrichment_quarantined_keep_their_bytes_and_their_offset(lake: Lake) -> None:
    topic = users(Source())
    topic.insert({"id": 1, "name": "a"})
    topic.quarantine(raw_value="3q2+7w==", code="invalid-json", key={"id": 7})
    topic.tombstone()
    lake.land(*topic.packs())

    report = lake.bronze()

    [row] = lake.rows("quarantine")
    assert (row.table_id, row.topic, row.partition, row.offset, row.epoch) == (
        "public.users",
        "cdc.public.users",
        0,
        1,
        1,
    )
    assert (row.reason_code, row.reason_message, row.key) == ("invalid-json", "not understood", '{"id":7}')
    assert (bytes(row.raw_value), row.raw_key, row.headers) == (b"\xde\xad\xbe\xef", None, '[{"a":[104,105]}]')
    assert report.extra["partitions"][0]["frontier"] == "2"


def test_a_gap_is_reported_and_closed_by_the_late_file(lake: Lake) -> None:
    topic = users(Source())
    for n in range(6):
        topic.insert({"id": n, "name": "a"})
    first, late, last = topic.packs(size=2)
    lake.land(first)
    lake.land(last)

    report = lake.bronze()
    [partition] = report.extra["partitions"]
    assert (partition["frontier"], partition["highest"]) == ("1", "5")
    assert [(g["from"], g["to"]) for g in partition["gaps"]] == [("2", "3")]
    assert datetime.fromisoformat(partition["gaps"][0]["since"].replace("Z", "+00:00")).tzinfo == timezone.utc
    check = next(c for c in table_report(report).checks if c.name == "offset_gap")
    assert (check.severity, check.value, check.passed) == ("warn", 2, False)
    assert check.detail and "offsets 2 to 3 have not landed" in check.detail

    since = partition["gaps"][0]["since"]
    quiet = lake.bronze()
    assert quiet.extra["partitions"][0]["gaps"][0]["since"] == since

    lake.land(late, at=datetime.now(timezone.utc) - timedelta(hours=1))
    report = lake.bronze()
    assert (report.extra["partitions"][0]["frontier"], report.extra["partitions"][0]["gaps"]) == ("5", [])
    assert (table_report(report).late, table_report(report).rows_out) == (2, 2)
    assert all(c.passed for c in table_report(report).checks)


def test_a_new_epoch_starts_its_offsets_again(lake: Lake) -> None:
    lake.land(*some_users(Source(epoch=1), 4))
    lake.bronze()
    tables = (lake.assets / "tables.yml").read_text().replace("\nepoch: 1", "\nepoch: 2")
    lake.set_tables(tables)
    lake.land(*some_users(Source(epoch=2, cluster="kafka-2"), 2))

    report = lake.bronze()

    rows = lake.rows("bronze", "public.users", ["epoch", "offset"], "1, 2")
    assert [(r.epoch, r.offset) for r in rows] == [(1, 0), (1, 1), (1, 2), (1, 3), (2, 0), (2, 1)]
    assert [(p["topic"], p["frontier"]) for p in report.extra["partitions"]] == [("cdc.public.users", "1")]


def test_a_new_epoch_goes_on_in_the_same_topic_behind_what_is_still_under_way(lake: Lake) -> None:
    old = users(Source(epoch=1))
    for n in range(4):
        old.insert({"id": n, "name": "old"})
    first, under_way = old.packs(size=2)
    new = users(Source(epoch=2))
    new.next_offset = old.next_offset
    for n in range(3):
        new.snapshot({"id": n, "name": "new"})
    lake.land(first)
    lake.land(*new.packs())

    [partition] = lake.bronze().extra["partitions"]
    assert (partition["frontier"], [(g["from"], g["to"]) for g in partition["gaps"]]) == (None, [("2", "3")])

    lake.land(under_way)
    report = lake.bronze()

    rows = lake.rows("bronze", "public.users", ["epoch", "offset"], "2")
    assert [(r.epoch, r.offset) for r in rows] == [(1, 0), (1, 1), (1, 2), (1, 3), (2, 4), (2, 5), (2, 6)]
    [partition] = report.extra["partitions"]
    assert (partition["frontier"], partition["gaps"]) == ("6", [])


def test_takes_a_backlog_in_bounded_batches_oldest_first(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [lake.land(pack) for pack in some_users(Source(), 6)]
    for age, key in enumerate(reversed(keys)):
        lake.age(key, age * 60)
    monkeypatch.setattr(landing, "MAX_FILES", 2)

    report = lake.bronze()
    assert (offsets(lake), report.extra["listing"]["left"]) == ([0, 1, 2, 3], 1)
    report = lake.bronze()
    assert (offsets(lake), report.extra["listing"]["left"]) == ([0, 1, 2, 3, 4, 5], 0)
    assert report.extra["listing"]["full"]
    assert not lake.bronze().extra["listing"]["full"]


def test_names_of_tables_and_files_may_hold_any_character(new_lake: Callable[[str], Lake]) -> None:
    table_id = "public.Straße [1] {a}+b%20 c*?"
    lake = new_lake(f'project: cdc_demo\nepoch: 1\ntables:\n  "{table_id}": {{}}\n')
    topic = Source().table(table_id, USERS, key=["id"])
    topic.insert({"id": 1, "name": "a"})
    key = lake.land(*topic.packs(), name="a b+c%41[1].gz")

    report = lake.bronze()

    assert table_report(report, table_id).rows_out == 1
    [row] = lake.rows("bronze", table_id, ["src_file"])
    assert row.src_file == key
    assert lake.bronze().batch == 1


def test_files_of_a_table_that_left_the_registry_stay_where_they_are(lake: Lake) -> None:
    other = Source().table("public.gone", USERS, key=["id"])
    other.insert({"id": 1, "name": "a"})
    lake.land(*other.packs())
    lake.land(*some_users(Source(), 2))

    report = lake.bronze()

    assert {row.table_id for row in lake.rows("landed", columns=["table_id"])} == {"public.users"}
    [check] = report.checks
    assert (check.name, check.severity, check.passed) == ("unregistered_landing", "warn", False)
    assert check.detail and "public.gone" in check.detail
    tables = (lake.assets / "tables.yml").read_text()
    lake.set_tables(tables + "\n  gone: {}\n")
    assert lake.bronze(tables=("gone",)).tables[0].rows_out == 1


def test_a_schema_is_known_from_its_lowest_offset(lake: Lake) -> None:
    source = Source()
    topic = users(source)
    for n in range(4):
        topic.insert({"id": n, "name": "a"})
    early, late = topic.packs(size=2)
    topic.set_columns([*USERS, ("age", "int", "number")])
    topic.insert({"id": 9, "name": "b", "age": 3})
    lake.land(late, *topic.packs())
    lake.bronze()
    lake.land(early)
    lake.bronze()
    found = lake.rows("bronze_schemas", columns=["schema_id", "first_offset", "size(columns) AS columns"], order="2")
    assert [(row.first_offset, row.columns) for row in found] == [(0, 2), (4, 3)]

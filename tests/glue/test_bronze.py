from lake import Lake
from source import Source, Topic

USERS = [("id", "int", "number"), ("name", "string", "string")]


def users(source: Source) -> Topic:
    return source.table("public.users", USERS, key=["id"])


def test_takes_every_event_once_with_all_of_its_fields(lake: Lake) -> None:
    source = Source()
    topic = users(source)
    topic.snapshot({"id": 1, "name": "Ann"})
    topic.insert({"id": 2, "name": "Bob"})
    topic.delete({"id": 1})
    key = lake.land(*topic.packs())

    report = lake.bronze()

    assert [(r.offset, r.op, r.key) for r in lake.rows("bronze", "public.users", ["offset", "op", "key"])] == [
        (0, "r", '{"id":1}'),
        (1, "c", '{"id":2}'),
        (2, "d", '{"id":1}'),
    ]
    [table] = [t for t in report.tables if t.table == "public.users"]
    assert (table.rows_in, table.rows_out, table.duplicates, table.total_rows) == (3, 3, 0, 3)
    print(report.to_json(), lake.rows("landed"))
    assert lake.rows("landed", columns=["src_file"])[0].src_file == key
    again = lake.bronze()
    assert again.batch == report.batch

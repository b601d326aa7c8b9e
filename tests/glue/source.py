"""A source database in few words: says what happens to its tables, answers the packs that the enrichment makes of it.

For whatever depends on Debezium's details use `recorded` (recorded.py) instead.
"""

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

Values = Mapping[str, Any]
ColumnSpec = tuple[str, str, str]
"""Name, lake type, encoding."""

LSN_STEP = 8
_START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def compact(value: Any) -> str:
    """JSON as Debezium writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Source:
    """One database: its LSNs and transactions are shared by its tables."""

    def __init__(self, epoch: int = 1, cluster: str = "kafka-1", first_lsn: int = 1000) -> None:
        self.epoch = epoch
        self.cluster = cluster
        self._lsns = itertools.count(first_lsn, LSN_STEP)
        self._transactions = itertools.count(700)
        self.committed = first_lsn - LSN_STEP

    def next_lsn(self) -> int:
        return next(self._lsns)

    def begin(self) -> "Transaction":
        """A transaction for several events; commit() ends it. An event without one is a transaction of its own."""
        return Transaction(self, next(self._transactions))

    def table(self, table_id: str, columns: Sequence[ColumnSpec], key: Sequence[str], partition: int = 0) -> "Topic":
        """A captured table's topic; `key` is () for a table without a key."""
        return Topic(self, table_id, columns, key, partition)


class Transaction:
    """Events that commit together: one commit_lsn, ascending tx_order."""

    def __init__(self, source: Source, tx_id: int) -> None:
        self.source = source
        self.tx_id = tx_id
        self.commit_lsn: int | None = None
        self.orders = itertools.count(1)

    def commit_position(self) -> int:
        """The end of the last commit before this one, fixed at the first event that needs it."""
        if self.commit_lsn is None:
            self.commit_lsn = self.source.committed
        return self.commit_lsn

    def commit(self) -> None:
        self.source.committed = self.source.next_lsn()


class Topic:
    """One topic-partition. Events are kept until `packs` takes them. Every method takes overrides of the pack event's
    fields (lsn=, commit_lsn=, tx_order=, snapshot=, unchanged=, prior_key=, offset= ...) as keywords."""

    def __init__(
        self, source: Source, table_id: str, columns: Sequence[ColumnSpec], key: Sequence[str], partition: int
    ) -> None:
        self.source = source
        self.table_id = table_id
        self.key = tuple(key)
        self.partition = partition
        self.topic = "cdc.transaction" if table_id == "debezium.transaction" else f"cdc.{table_id}"
        self.next_offset = 0
        self._taken_to = 0
        self._pending: list[tuple[int, dict[str, Any] | None, dict[str, Any] | None]] = []
        self.set_columns(columns)

    def set_columns(self, columns: Sequence[ColumnSpec]) -> None:
        """ALTER TABLE: later events carry these columns (a pack holds one schema: take the packs before)."""
        self.columns = [{"name": n, "type": t, "encoding": e} for n, t, e in columns]
        self.schema_id = hashlib.sha256(compact(self.columns).encode()).hexdigest()[:16]

    def snapshot(self, after: Values, **overrides: Any) -> dict[str, Any]:
        """A row of the initial snapshot."""
        return self._event("r", None, after, None, {"snapshot": "true", "tx_order": None, **overrides})

    def insert(self, after: Values, tx: Transaction | None = None, **overrides: Any) -> dict[str, Any]:
        return self._event("c", None, after, tx, overrides)

    def update(
        self, after: Values, before: Values | None = None, tx: Transaction | None = None, **overrides: Any
    ) -> dict[str, Any]:
        """An update; `before` is sent under REPLICA IDENTITY FULL only."""
        return self._event("u", before, after, tx, overrides)

    def delete(self, before: Values, tx: Transaction | None = None, **overrides: Any) -> dict[str, Any]:
        """A delete; `before` needs only the key. Its tombstone follows, as Debezium writes it."""
        event = self._event("d", before, None, tx, overrides)
        if self.key:
            self.tombstone()
        return event

    def change_key(self, old: Values, after: Values, tx: Transaction | None = None, **overrides: Any) -> dict[str, Any]:
        """A changed primary key: d(old), tombstone, c(new) with the header that names the old key, all on one lsn."""
        tx = tx or self.source.begin()
        lsn = overrides.pop("lsn", None) or self.source.next_lsn()
        self._event("d", old, None, tx, {"lsn": lsn})
        self.tombstone()
        prior = compact({k: old[k] for k in self.key})
        return self._event("c", None, after, tx, {"lsn": lsn, "prior_key": prior, **overrides})

    def truncate(self, tx: Transaction | None = None, **overrides: Any) -> dict[str, Any]:
        return self._event("t", None, None, tx, overrides)

    def tombstone(self) -> None:
        """An offset without an event."""
        self._pending.append((self._offset(), None, None))

    def quarantine(self, raw_value: str = "bm90IEpTT04=", code: str = "invalid-json", key: Values | None = None) -> int:
        """A record that the enrichment could not understand; its offset."""
        offset = self._offset()
        record = {
            "offset": str(offset),
            "kafka_ts": "1767225600000",
            "reason": {"code": code, "message": "not understood"},
            "key": compact(dict(key)) if key else None,
            "raw_key": None,
            "raw_value": raw_value,
            "headers": [{"a": [104, 105]}],
        }
        self._pending.append((offset, None, record))
        return offset

    def skip(self, count: int = 1) -> None:
        """Offsets that never land: a gap."""
        self.next_offset += count

    @property
    def pending(self) -> list[tuple[int, dict[str, Any] | None, dict[str, Any] | None]]:
        """What no pack has taken yet: offset, event (None for a tombstone), quarantined record."""
        return list(self._pending)

    def send_again(self, event: Mapping[str, Any] | None) -> None:
        """An event (or a tombstone) under a new offset, as Debezium sends it after a crash."""
        offset = self._offset()
        self._pending.append((offset, {**event, "offset": str(offset)} if event else None, None))

    def packs(self, size: int = 0) -> list[dict[str, Any]]:
        """The packs of everything since the last call: one a run of offsets without a gap, at most `size` long."""
        groups: list[list[tuple[int, dict[str, Any] | None, dict[str, Any] | None]]] = []
        for entry in self._pending:
            last = groups[-1] if groups else None
            if last is None or entry[0] != last[-1][0] + 1 or (size and len(last) >= size):
                groups.append([entry])
            else:
                last.append(entry)
        self._pending = []
        return [self._pack(group) for group in groups]

    def _pack(self, entries: list[tuple[int, dict[str, Any] | None, dict[str, Any] | None]]) -> dict[str, Any]:
        events = [event for _, event, _ in entries if event]
        return {
            "pack": 1,
            "epoch": self.source.epoch,
            "cluster": self.source.cluster,
            "topic": self.topic,
            "table": self.table_id,
            "partition": self.partition,
            "from_offset": str(entries[0][0]),
            "to_offset": str(entries[-1][0]),
            "schema_id": self.schema_id if events else None,
            "columns": self.columns if events else [],
            "landed_at": "2026-01-01T00:00:00.000Z",
            "events": events,
            "quarantined": [record for _, _, record in entries if record],
        }

    def _offset(self) -> int:
        self.next_offset += 1
        return self.next_offset - 1

    def _event(
        self, op: str, before: Values | None, after: Values | None, tx: Transaction | None, overrides: dict[str, Any]
    ) -> dict[str, Any]:
        alone = tx is None
        tx = tx or self.source.begin()
        lsn = overrides.pop("lsn", None) or self.source.next_lsn()
        offset = overrides.pop("offset", None)
        fields: dict[str, Any] = {"commit_lsn": tx.commit_position(), "tx_id": tx.tx_id, "snapshot": None}
        fields["tx_order"] = None if "tx_order" in overrides else next(tx.orders)
        fields.update(overrides)
        happened = _START + timedelta(milliseconds=lsn % 10**10)
        row = after if after is not None else before
        event = {
            "offset": str(self._offset() if offset is None else offset),
            "kafka_ts": str(int(happened.timestamp() * 1000) + 5),
            "op": op,
            "commit_lsn": _text(fields["commit_lsn"]),
            "lsn": _text(lsn),
            "tx_id": _text(fields["tx_id"]),
            "tx_order": _text(fields["tx_order"]),
            "source_ts": happened.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "snapshot": fields["snapshot"],
            "key": compact({k: row[k] for k in self.key}) if self.key and row is not None else None,
            "prior_key": fields.get("prior_key"),
            "unchanged": fields.get("unchanged", []),
            "payload": compact({"before": before, "after": after, "source": {"lsn": lsn}, "op": op}),
        }
        event.update({k: v for k, v in fields.items() if k in ("key", "payload", "source_ts", "kafka_ts", "op")})
        self._pending.append((int(event["offset"]), event, None))
        if alone:
            tx.commit()
        return event


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)

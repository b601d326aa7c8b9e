"""A random life of one source table: what Debezium would send for it, and what silver must show of it at the end.

The expected rows come from the simulated table alone, never from the events.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from source import Source, Topic, Transaction

COLUMNS = [
    ("id", "bigint", "number"),
    ("note", "string", "string"),
    ("big", "string", "string"),
    ("n", "int", "number"),
]
TOKEN = "3f1c9a0e7b5d4c2f8a6e1d0b9c8f7a65"
TOASTED = 8  # texts of at least this length stand for values stored outside the row

Row = dict[str, Any]


@dataclass
class Held:
    """A transaction that is still open: its changes have LSNs, but nobody sees them before it commits."""

    changes: list[tuple[int, Row]] = field(default_factory=list)

    @property
    def keys(self) -> set[int]:
        return {row["id"] for _, row in self.changes}


class Workload:
    """One table with `id` as its key; `rows` is what the source holds, `gone` the last values of what it held."""

    def __init__(self, seed: int, table_id: str = "public.things") -> None:
        self.random = random.Random(seed)
        self.source = Source()
        self.topic = Topic(self.source, table_id, COLUMNS, ["id"], 0)
        self.rows: dict[int, Row] = {}
        self.gone: dict[int, Row] = {}
        self._counter = 0
        self._open: Held | None = None
        self._sent: list[tuple[int, dict[str, Any] | None, dict[str, Any] | None]] = []
        self._remembered = 0
        self._first_resendable = 0
        self._initial_snapshot()
        self._first_transaction()

    def step(self) -> None:
        """Something happens."""
        happenings: list[tuple[Callable[[], None], int]] = [
            (self._transaction, 60),
            (self._swap, 6),
            (self._delete_and_insert_again, 6),
            (self._truncate, 2),
            (self._incremental_snapshot, 6),
            (self._crash, 8),
            (self._open_transaction, 6),
            (self._commit_open_transaction, 6),
        ]
        actions, weights = zip(*happenings, strict=True)
        self.random.choices(actions, weights)[0]()

    def settle(self) -> None:
        """Commits what is open."""
        self._commit_open_transaction()

    def packs(self) -> list[dict[str, Any]]:
        """Everything since the last call, cut into packs of random sizes."""
        self._remember()
        return self.topic.packs(self.random.choice([1, 2, 3, 7, 1000]))

    def _value(self) -> Row:
        self._counter += 1
        big = self.random.choice([None, "small", f"big-{self._counter}" + "x" * TOASTED])
        return {"note": f"note-{self._counter}", "big": big, "n": self.random.choice([None, self._counter])}

    def _free_keys(self) -> list[int]:
        locked = self._open.keys if self._open else set()
        return [key for key in range(1, 15) if key not in self.rows and key not in locked]

    def _taken_keys(self) -> list[int]:
        locked = self._open.keys if self._open else set()
        return sorted(set(self.rows) - locked)

    def _initial_snapshot(self) -> None:
        lsn = self.source.next_lsn()
        for key in range(1, 6):
            self.rows[key] = {"id": key, **self._value()}
            self.topic.snapshot(self.rows[key], commit_lsn=None, lsn=lsn)

    def _first_transaction(self) -> None:
        """After a start, Debezium does not know the commit before the first transaction."""
        tx = self.source.begin()
        key = self.random.choice(self._taken_keys())
        self._update(key, tx, commit_lsn=None)
        self._delete(self.random.choice(self._taken_keys()), tx, commit_lsn=None)
        tx.commit()

    def _transaction(self) -> None:
        tx = self.source.begin()
        for _ in range(self.random.randint(1, 5)):
            self._change(tx)
        tx.commit()

    def _change(self, tx: Transaction) -> None:
        taken, free = self._taken_keys(), self._free_keys()
        what = self.random.random()
        if taken and what < 0.5:
            self._update(self.random.choice(taken), tx)
        elif taken and what < 0.65:
            self._delete(self.random.choice(taken), tx)
        elif taken and free and what < 0.8:
            self._move(self.random.choice(taken), self.random.choice(free), tx)
        elif free:
            self._insert(self.random.choice(free), tx)

    def _insert(self, key: int, tx: Transaction) -> None:
        self.rows[key] = {"id": key, **self._value()}
        self.gone.pop(key, None)
        self.topic.insert(self.rows[key], tx)

    def _update(self, key: int, tx: Transaction, **overrides: Any) -> None:
        row, changes = self.rows[key], self._value()
        if self.random.random() < 0.7:
            changes["big"] = row["big"]
        self.rows[key] = {**row, **changes}
        after, unchanged = self._as_sent(self.rows[key], same_big=changes["big"] == row["big"])
        self.topic.update(after, tx=tx, unchanged=unchanged, **overrides)

    def _as_sent(self, row: Row, same_big: bool) -> tuple[Row, list[str]]:
        if same_big and row["big"] is not None and len(row["big"]) >= TOASTED:
            return {**row, "big": TOKEN}, ["big"]
        return row, []

    def _delete(self, key: int, tx: Transaction, **overrides: Any) -> None:
        self.gone[key] = self.rows.pop(key)
        # under REPLICA IDENTITY DEFAULT the other columns are null or made up
        self.topic.delete({"id": key, "note": "", "big": None, "n": 0}, tx, **overrides)

    def _move(self, old: int, new: int, tx: Transaction) -> None:
        """UPDATE ... SET id = new, with or without other columns."""
        row = self.rows.pop(old)
        self.gone[old] = row
        changed = {**row, "id": new, **({"note": f"moved-{new}"} if self.random.random() < 0.5 else {})}
        self.rows[new] = changed
        self.gone.pop(new, None)
        after, unchanged = self._as_sent(changed, same_big=True)
        self.topic.change_key({"id": old}, after, tx, unchanged=unchanged)

    def _swap(self) -> None:
        """1 -> tmp, 2 -> 1, tmp -> 2 in one transaction, with an update between at times."""
        taken, free = self._taken_keys(), self._free_keys()
        if len(taken) < 2 or not free:
            return
        (one, two), spare = self.random.sample(taken, 2), self.random.choice(free)
        tx = self.source.begin()
        for old, new in ((one, spare), (two, one), (spare, two)):
            self._move(old, new, tx)
            if self.random.random() < 0.3:
                self._update(new, tx)
        tx.commit()

    def _delete_and_insert_again(self) -> None:
        taken = self._taken_keys()
        if not taken:
            return
        key, tx = self.random.choice(taken), self.source.begin()
        self._delete(key, tx)
        self._insert(key, tx)
        if self.random.random() < 0.5:
            self._update(key, tx)
        tx.commit()

    def _truncate(self) -> None:
        if self._open is not None:
            return  # it would wait for the open transaction
        tx = self.source.begin()
        self.gone |= self.rows
        self.rows = {}
        self.topic.truncate(tx)
        for _ in range(self.random.randint(0, 2)):
            self._insert(self.random.choice(self._free_keys()), tx)
        tx.commit()

    def _incremental_snapshot(self) -> None:
        """Rows as they are committed, at the position of the signal that closes the window."""
        commit_lsn, lsn = self.source.committed, self.source.next_lsn()
        for key in sorted(self.rows):
            if self.random.random() < 0.8:
                self.topic.snapshot(self.rows[key], snapshot="incremental", commit_lsn=commit_lsn, lsn=lsn, tx_id=None)
        self.source.committed = self.source.next_lsn()
        self._remember()
        self._first_resendable = len(self._sent)

    def _open_transaction(self) -> None:
        """An update that takes its LSN now and is sent when it commits."""
        if self._open is None and self.rows:
            row = self.rows[self.random.choice(sorted(self.rows))]
            self._open = Held([(self.source.next_lsn(), {**row, **self._value(), "big": row["big"]})])

    def _commit_open_transaction(self) -> None:
        if self._open is None:
            return
        held, self._open = self._open, None
        tx = self.source.begin()
        for lsn, row in held.changes:
            self.rows[row["id"]] = row
            after, unchanged = self._as_sent(row, same_big=True)
            self.topic.update(after, tx=tx, unchanged=unchanged, lsn=lsn)
        tx.commit()

    def _remember(self) -> None:
        self._sent += [entry for entry in self.topic.pending if entry[0] >= self._remembered]
        self._remembered = self.topic.next_offset

    def _crash(self) -> None:
        """Debezium starts again before where it was: the last events come once more, under new offsets."""
        self._remember()
        again = self._sent[max(self._first_resendable, len(self._sent) - self.random.randint(1, 25)) :]
        for _, event, _ in again:
            self.topic.send_again(event)

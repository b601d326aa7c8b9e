"""The JSON report that every layer writes for its gate (docs/architecture.md, Reports and gates)."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import Any, NamedTuple, Protocol


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and Z."""
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Check:
    """One check's outcome: passed when `value` is at most `limit`."""

    name: str
    severity: str  # fail | warn
    value: float
    limit: float
    detail: str | None = None

    @property
    def passed(self) -> bool:
        return self.value <= self.limit

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "passed": self.passed}


@dataclass
class Upkeep:
    """What maintenance did to one table; files_joined and files_made count data files and delete files."""

    files_joined: int = 0
    files_made: int = 0
    bytes_rewritten: int = 0
    manifests_joined: int = 0
    snapshots_expired: int = 0
    files_deleted: int = 0
    orphans_deleted: int = 0


@dataclass
class TableReport:
    """What one run did to one table (gold: to one model)."""

    table: str
    target: str
    rows_in: int = 0
    rows_out: int = 0
    duplicates: int = 0
    quarantined: int = 0
    late: int = 0
    published: bool = False
    held: str | None = None
    snapshot_id: str | None = None
    batch: int | None = None
    high_water_lsn: str | None = None
    duration_ms: int = 0
    total_rows: int | None = None
    checks: list[Check] = field(default_factory=list)
    upkeep: Upkeep | None = None  # maintenance only

    def failed_checks(self) -> list[Check]:
        """Checks of severity fail that did not pass: they hold the table back."""
        return [c for c in self.checks if c.severity == "fail" and not c.passed]

    def to_json(self) -> dict[str, Any]:
        fields = {**asdict(self), "checks": [c.to_json() for c in self.checks]}
        if self.upkeep is None:
            del fields["upkeep"]
        return fields


@dataclass
class Report:
    """One layer of one run."""

    run_id: str
    layer: str
    project: str
    stage: str
    started_at: datetime
    batch: int | None = None
    status: str = "ok"
    error: str | None = None
    finished_at: datetime | None = None
    checks: list[Check] = field(default_factory=list)
    tables: list[TableReport] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)  # bronze: partitions, listing

    def to_json(self) -> dict[str, Any]:
        finished = self.finished_at or datetime.now(timezone.utc)
        return {
            "report": 1,
            "run_id": self.run_id,
            "layer": self.layer,
            "project": self.project,
            "stage": self.stage,
            "batch": self.batch,
            "status": self.status,
            "error": self.error,
            "started_at": utc_text(self.started_at),
            "finished_at": utc_text(finished),
            "duration_ms": int((finished - self.started_at).total_seconds() * 1000),
            "checks": [c.to_json() for c in self.checks],
            "tables": [t.to_json() for t in self.tables],
            **self.extra,
        }


class StoredObject(NamedTuple):
    """One object: its key, the time of its last change, its size in bytes."""

    key: str
    modified: datetime
    size: int


class ObjectStore(Protocol):
    """The few object calls that the engine needs; boto3's S3 client behind it everywhere but in unit tests."""

    def put(self, key: str, body: bytes) -> None: ...

    def get(self, key: str) -> bytes | None:
        """The object's bytes, or None when there is none."""
        ...

    def list(self, prefix: str, start_after: str = "") -> list[StoredObject]:
        """The objects under a prefix, in the order of their keys, from after `start_after` on."""
        ...


def write_report(store: ObjectStore, report: Report) -> None:
    """Writes the run's report and then the layer's newest, so that `latest` never names a report that is not there."""
    body = json.dumps(report.to_json()).encode()
    store.put(f"reports/{report.run_id}/{report.layer}.json", body)
    store.put(f"reports/latest/{report.layer}.json", body)


def read_report(store: ObjectStore, run_id: str, layer: str) -> dict[str, Any] | None:
    """The report of a run's layer, or None."""
    body = store.get(f"reports/{run_id}/{layer}.json")
    return json.loads(body) if body else None

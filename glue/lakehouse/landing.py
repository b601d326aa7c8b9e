"""The landing zone: which objects are there and not yet taken."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from lakehouse.landed import Landed, oldest_gap, taken_files
from lakehouse.names import TRANSACTION_TABLE
from lakehouse.registry import qualified
from lakehouse.report import StoredObject, utc_text
from lakehouse.run import Run

LATE_DELIVERY = timedelta(hours=26)
"""Firehose retries a failed delivery for 24 hours and then writes under the old hour's prefix."""
WIDE_EVERY = timedelta(minutes=15)
FULL_EVERY = timedelta(days=1)
NEAR = timedelta(hours=2)
GAP_PATIENCE = timedelta(minutes=2)
"""How long a gap may last before the whole landing zone is searched for it, every WIDE_EVERY: a spilled pack lies under
the hour of its first record, which can be days ago when the pipe was behind."""
RECENT = timedelta(minutes=10)
MAX_FILES = 2000
MAX_BYTES = 512 * 1024 * 1024
"""What one run takes at most, gzipped; the oldest first, the next run goes on."""

_LISTED_WIDE = "cdc.landing-listed-wide-at"
_LISTED_FULL = "cdc.landing-listed-full-at"


@dataclass(frozen=True)
class LastListing:
    """When the landing zone was last listed over the hours of late deliveries, and last as a whole."""

    wide: datetime | None
    full: datetime | None


@dataclass(frozen=True)
class ListingPlan:
    """What to list: objects of hours from `since` on, of all hours when None."""

    since: datetime | None
    wide: bool

    @property
    def full(self) -> bool:
        return self.since is None


@dataclass(frozen=True)
class Listing:
    """`files` are to be taken now, `left` more wait for the next run, `strangers` lie under no registered table."""

    at: datetime
    plan: ListingPlan
    files: Sequence[StoredObject]
    left: int
    recent: Sequence[str]
    strangers: Sequence[str]

    def to_json(self) -> dict[str, object]:
        """The report's `listing`."""
        return {"at": utc_text(self.at), "full": self.plan.full, "recent": list(self.recent), "left": self.left}


def plan_listing(now: datetime, last: LastListing, gap_since: datetime | None = None) -> ListingPlan:
    """Everything once a day; the hours of late deliveries every 15 minutes; the last two hours otherwise.

    A gap that stays makes it look everywhere. `gap_since` is the age of the oldest gap.
    """
    if last.full is None or last.wide is None or now - last.full >= FULL_EVERY:
        return ListingPlan(since=None, wide=True)
    if gap_since is not None and now - gap_since >= GAP_PATIENCE and now - last.full >= WIDE_EVERY:
        return ListingPlan(since=None, wide=True)
    wide = now - last.wide >= WIDE_EVERY
    return ListingPlan(since=min(now, last.wide) - (LATE_DELIVERY if wide else NEAR), wide=wide)


def captured_tables(run: Run) -> list[str]:
    """Ids of the tables that land: the registry's, narrowed by --tables, and the transaction topic's."""
    known = [table.table_id for table in run.registry.tables]
    wanted = {qualified(name) for name in run.arguments.tables}
    return [t for t in [*known, TRANSACTION_TABLE] if not wanted or t in wanted]


def last_listing(run: Run) -> LastListing:
    """What `landed` remembers of earlier listings."""
    properties = run.engine_table("landed").properties()

    def moment(name: str) -> datetime | None:
        return datetime.fromisoformat(properties[name]) if name in properties else None

    return LastListing(moment(_LISTED_WIDE), moment(_LISTED_FULL))


def remember_listing(run: Run, listing: Listing) -> None:
    """Notes a wide or full listing all of whose files are taken now: the next ones need not look as far."""
    if not listing.plan.wide or listing.left or run.arguments.tables:
        return
    done = {_LISTED_WIDE: listing.at.isoformat()}
    if listing.plan.full:
        done[_LISTED_FULL] = listing.at.isoformat()
    run.engine_table("landed").set_properties(done)


def list_landing(run: Run, landed: Landed) -> Listing:
    """The objects that are not taken yet, oldest first, as many as one run takes."""
    at = datetime.now(timezone.utc)
    plan = plan_listing(at, last_listing(run), oldest_gap(landed.islands))
    tables = captured_tables(run)
    found = _everything(run) if plan.full else _since(run, tables, plan)
    ours = [o for o in found if table_of(o.key) in tables]
    taken = taken_files(run, landed, plan.since) if ours else set()
    fresh = sorted((o for o in ours if o.key not in taken), key=lambda o: (o.modified, o.key))
    files = _bounded(fresh)
    recent = [o.key for o in ours if o.modified >= at - RECENT]
    return Listing(at, plan, files, len(fresh) - len(files), recent, _strangers(run, found))


def table_of(key: str) -> str:
    """The table id in a landing key."""
    return key.split("/")[1]


def _strangers(run: Run, found: Iterable[StoredObject]) -> list[str]:
    """Table ids in the landing zone that the registry does not know: their files stay where they are."""
    known = {TRANSACTION_TABLE, *(table.table_id for table in run.registry.tables)}
    return sorted({table_of(o.key) for o in found} - known)


def _everything(run: Run) -> list[StoredObject]:
    return [o for o in run.store.list("landing/") if _is_landing_file(o.key)]


def _since(run: Run, tables: Iterable[str], plan: ListingPlan) -> list[StoredObject]:
    return [
        o
        for table_id in tables
        for o in run.store.list(run.names.landing_prefix(table_id), _hour_prefix(run, table_id, plan))
        if _is_landing_file(o.key)
    ]


def _hour_prefix(run: Run, table_id: str, plan: ListingPlan) -> str:
    """The hour of `since` as a key that sorts before every object of that hour; '' for everything."""
    return plan.since.strftime(f"{run.names.landing_prefix(table_id)}%Y/%m/%d/%H") if plan.since else ""


def _is_landing_file(key: str) -> bool:
    """landing/<table id>/<something>; not a folder's marker."""
    return key.count("/") >= 2 and not key.endswith("/")


def _bounded(files: Sequence[StoredObject]) -> list[StoredObject]:
    out: list[StoredObject] = []
    total = 0
    for file in files[:MAX_FILES]:
        total += file.size
        if out and total > MAX_BYTES:
            break
        out.append(file)
    return out

import random
from datetime import datetime, timedelta, timezone

from lakehouse.bronze_plan import islands_after, plan
from lakehouse.landed import Island, Partition, beginning, current, gaps_of, oldest_gap
from lakehouse.landing import LastListing, plan_listing
from lakehouse.offsets import Interval, frontier, gaps, merged, without
from lakehouse.packs import Pack

NOW = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)
USERS = Partition("public.users", 1, "k", "cdc.public.users", 0)


def pack(number: int, interval: Interval, partition: Partition = USERS) -> Pack:
    return Pack(f"p{number}", "f", number, partition.table_id, partition, interval, 0, 0, None, None, None)


def offsets(intervals: list[Interval]) -> set[int]:
    return {o for start, end in intervals for o in range(start, end + 1)}


def test_every_offset_is_taken_exactly_once_whatever_overlaps() -> None:
    for seed in range(500):
        every_offset_is_taken_exactly_once(random.Random(seed))


def every_offset_is_taken_exactly_once(chance: random.Random) -> None:
    before = merged((a, a + chance.randrange(6)) for a in chance.sample(range(60), chance.randrange(5)))
    islands = {USERS: [Island(interval, NOW) for interval in before]} if before else {}
    packs = [pack(n, (a, a + chance.randrange(12))) for n, a in enumerate(chance.choices(range(60), k=8))]

    planned = plan(packs, islands)

    taken: list[int] = []
    for p in planned:
        new = without(p.pack.interval, p.covered)
        assert p.is_new == (offsets(new) == offsets([p.pack.interval]))
        assert p.is_duplicate == (not new)
        taken += sorted(offsets(new))
    assert len(taken) == len(set(taken))
    everything = offsets(before) | offsets([p.interval for p in packs])
    assert offsets(before) | set(taken) == everything
    assert offsets(before) & set(taken) == set()

    after = [i.interval for i in islands_after(islands, packs, NOW)[USERS]]
    assert after == merged(after)
    assert offsets(after) == everything
    assert offsets(gaps(after)) == set(range(max(everything))) - everything
    assert frontier(after) == next(o for o in range(200) if o not in everything) - 1


def test_partitions_epochs_and_clusters_do_not_cover_each_other() -> None:
    others = [
        Partition("public.users", 2, "k", "cdc.public.users", 0),
        Partition("public.users", 1, "new", "cdc.public.users", 0),
        Partition("public.users", 1, "k", "cdc.public.users", 1),
    ]
    planned = plan([pack(n, (0, 9), p) for n, p in enumerate([USERS, *others])], {})
    assert all(p.is_new for p in planned)


def epochs(*found: list[Interval], cluster: str = "k") -> dict[Partition, list[Island]]:
    """Islands of the users' partition, one list an epoch from the first on."""
    return {
        Partition("public.users", epoch, cluster, "cdc.public.users", 0): [Island(i, NOW) for i in intervals]
        for epoch, intervals in enumerate(found, 1)
        if intervals
    }


def test_an_epoch_goes_on_behind_the_offsets_of_the_older_ones() -> None:
    islands = epochs([(0, 4), (8, 9)], [], [(10, 12), (15, 16)])
    [now] = current(islands)
    assert (now.epoch, beginning(now, islands)) == (3, 10)
    assert [gap.interval for gap in gaps_of(now, islands)] == [(13, 14)]


def test_an_epoch_waits_for_what_may_be_its_first_records_or_the_last_ones_before() -> None:
    islands = epochs([(0, 4)], [(7, 9)])
    [now] = current(islands)
    assert [gap.interval for gap in gaps_of(now, islands)] == [(5, 6)]
    for late in (USERS, now):
        after = islands_after(islands, [pack(1, (5, 6), late)], NOW)
        assert gaps_of(now, after) == []


def test_a_topic_made_anew_begins_at_0_and_so_does_another_cluster() -> None:
    anew = epochs([(0, 9)], [(2, 5)])
    assert [gap.interval for p in current(anew) for gap in gaps_of(p, anew)] == [(0, 1)]
    elsewhere = {**epochs([(0, 9)]), **epochs([], [(10, 12)], cluster="new")}
    assert [gap.interval for p in current(elsewhere) for gap in gaps_of(p, elsewhere)] == [(0, 9)]


def test_what_an_older_epoch_lost_is_not_waited_for() -> None:
    assert oldest_gap(epochs([(0, 4), (8, 9)])) == NOW
    assert oldest_gap(epochs([(0, 4), (8, 9)], [(10, 12)])) is None


def test_a_pack_below_what_was_taken_before_is_late() -> None:
    islands = {USERS: [Island((0, 4), NOW), Island((10, 14), NOW)]}
    late = {p.pack.interval: p.late for p in plan([pack(1, (5, 9)), pack(2, (15, 19)), pack(3, (0, 4))], islands)}
    assert late == {(5, 9): True, (15, 19): False, (0, 4): False}


def test_a_gap_is_as_old_as_the_first_offset_taken_above_it() -> None:
    islands = {USERS: [Island((0, 4), NOW - timedelta(hours=9)), Island((10, 14), NOW - timedelta(hours=2))]}
    after = islands_after(islands, [pack(1, (20, 24)), pack(2, (15, 15))], NOW)[USERS]
    assert after == [
        Island((0, 4), NOW - timedelta(hours=9)),
        Island((10, 15), NOW - timedelta(hours=2)),
        Island((20, 24), NOW),
    ]


def test_lists_everything_daily_late_hours_now_and_then_and_the_last_hours_always() -> None:
    def listed(wide: float, full: float, gap: float | None = None) -> datetime | None:
        last = LastListing(NOW - timedelta(minutes=wide), NOW - timedelta(minutes=full))
        return plan_listing(NOW, last, NOW - timedelta(minutes=gap) if gap else None).since

    assert plan_listing(NOW, LastListing(None, None)).full
    assert listed(wide=1, full=24 * 60) is None
    assert listed(wide=1, full=60) == NOW - timedelta(hours=2, minutes=1)
    assert listed(wide=15, full=60) == NOW - timedelta(hours=26, minutes=15)
    assert listed(wide=3 * 24 * 60, full=23 * 60) == NOW - timedelta(hours=26 + 3 * 24)


def test_a_gap_that_stays_makes_it_look_everywhere() -> None:
    recently = LastListing(NOW - timedelta(minutes=1), NOW - timedelta(minutes=20))
    assert not plan_listing(NOW, recently, NOW - timedelta(seconds=30)).full
    assert plan_listing(NOW, recently, NOW - timedelta(minutes=3)).full
    just_now = LastListing(NOW, NOW - timedelta(minutes=5))
    assert not plan_listing(NOW, just_now, NOW - timedelta(minutes=30)).full

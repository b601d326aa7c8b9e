"""What of a batch's packs is new: decided from offset intervals alone, without a look at bronze."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from lakehouse.landed import Island, Islands, Partition
from lakehouse.offsets import Interval, merged, without
from lakehouse.packs import Pack


@dataclass(frozen=True)
class PlannedPack:
    """A pack and the offsets of it that are there already, or come with an earlier pack of the batch."""

    pack: Pack
    covered: Sequence[Interval]
    late: bool
    """Whether it lies below an offset that was taken before the batch: it fills a gap."""

    @property
    def is_new(self) -> bool:
        """Nothing of it is there."""
        return not self.covered

    @property
    def is_duplicate(self) -> bool:
        """All of it is there."""
        return list(self.covered) == [self.pack.interval]


def plan(packs: Iterable[Pack], islands: Islands) -> list[PlannedPack]:
    """Decides each pack in the order given; the first pack that brings an offset keeps it."""
    taken = {partition: [i.interval for i in found] for partition, found in islands.items()}
    highest = {partition: intervals[-1][1] for partition, intervals in taken.items()}
    out = []
    for pack in packs:
        covered = taken.get(pack.partition, [])
        new = without(pack.interval, covered)
        late = bool(new) and new[0][0] < highest.get(pack.partition, -1)
        out.append(PlannedPack(pack, without(pack.interval, new), late))
        taken[pack.partition] = merged([*covered, *new])
    return out


def islands_after(islands: Islands, packs: Iterable[Pack], now: datetime) -> dict[Partition, list[Island]]:
    """The covered intervals once these packs are taken at `now`."""
    pieces: dict[Partition, list[Island]] = {partition: list(found) for partition, found in islands.items()}
    for pack in packs:
        pieces.setdefault(pack.partition, []).append(Island(pack.interval, now))
    return {partition: _joined(found) for partition, found in pieces.items()}


def _joined(pieces: Iterable[Island]) -> list[Island]:
    out: list[Island] = []
    for piece in sorted(pieces, key=lambda p: p.interval):
        (start, end), last = piece.interval, out[-1] if out else None
        if last and start <= last.interval[1] + 1:
            out[-1] = Island((last.interval[0], max(last.interval[1], end)), min(last.since, piece.since))
        else:
            out.append(piece)
    return out

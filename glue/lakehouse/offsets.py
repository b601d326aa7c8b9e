"""Offset intervals of one Kafka partition: what is covered, what is missing, and how far nothing is missing."""

from collections.abc import Iterable, Sequence

Interval = tuple[int, int]
"""First and last offset, both included."""


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The union as the fewest intervals, in order; neighbours are joined."""
    out: list[Interval] = []
    for start, end in sorted(intervals):
        if out and start <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def without(interval: Interval, covered: Sequence[Interval]) -> list[Interval]:
    """The parts of `interval` that `covered` (merged) leaves open."""
    start, end = interval
    out: list[Interval] = []
    for taken_from, taken_to in covered:
        if taken_to < start:
            continue
        if taken_from > end:
            break
        if taken_from > start:
            out.append((start, taken_from - 1))
        start = taken_to + 1
    if start <= end:
        out.append((start, end))
    return out


def frontier(covered: Sequence[Interval], beginning: int = 0) -> int:
    """The offset up to which nothing is missing from `beginning` on; -1 when that one is. `covered` is merged."""
    return covered[0][1] if covered and covered[0][0] == beginning else -1


def gaps(covered: Sequence[Interval], beginning: int = 0) -> list[Interval]:
    """The holes between `beginning` and the highest covered offset. `covered` is merged."""
    return without((beginning, covered[-1][1]), covered) if covered else []

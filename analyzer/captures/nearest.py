"""One-to-one pairs, nearest in time, within groups of equal payload.

In: sorted columns. Out: reading records, writing pairs.

The rule is greedy: of all possible pairs in a group the one closest in time is taken first, a
shadow record that is later than production's before one that is as much earlier, then the next
closest, each record once. Taken literally that needs every pair of a group. Instead each round
pairs all records that are each other's first choice: no better choice of either can be taken by
anyone else, so the greedy rule takes exactly these pairs too, and records drop out in a few
rounds whose cost is linear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class _Stacks:
    """Records of one role at one second of one group, taken from the top.

    Attributes:
        time: seconds, groups laid out one after another further apart than the window.
        top: row of the first record not yet taken.
        height: records not yet taken.
    """

    time: Ints
    is_shadow: Bools
    top: Ints
    height: Ints

    def kept(self, keep: Bools) -> _Stacks:
        return _Stacks(self.time[keep], self.is_shadow[keep], self.top[keep], self.height[keep])


def nearest_pairs(
    starts_group: Bools, second: Ints, is_shadow: Bools, window_s: int
) -> tuple[Ints, Ints]:
    """Rows of production and of shadow that pair.

    Shapes: all columns (n,), sorted by (group, second, is_shadow, content); content decides who
    goes first among equals.

    Args:
        starts_group: True where a new group of equal payload begins.
        second: whole seconds since any origin.
        is_shadow: the record's role.
        window_s: largest |dt| of a pair.

    Returns:
        Two arrays of equal length: row numbers of the production and the shadow records.
    """
    stacks = _stack(starts_group, second, is_shadow, window_s)
    production: list[Ints] = [np.empty(0, np.int64)]
    shadow: list[Ints] = [np.empty(0, np.int64)]
    while len(stacks.time):
        choice, wants = _first_choices(stacks, window_s)
        stacks, choice = stacks.kept(wants), (np.cumsum(wants) - 1)[choice[wants]]
        chooser = np.arange(len(choice))
        left = chooser[~stacks.is_shadow & (choice[choice] == chooser)]
        right = choice[left]
        taken = np.minimum(stacks.height[left], stacks.height[right])
        production.append(_rows(stacks.top[left], taken))
        shadow.append(_rows(stacks.top[right], taken))
        for side in (left, right):
            stacks.top[side] += taken
            stacks.height[side] -= taken
        stacks = stacks.kept(stacks.height > 0)
    return np.concatenate(production), np.concatenate(shadow)


def _stack(starts_group: Bools, second: Ints, is_shadow: Bools, window_s: int) -> _Stacks:
    if not len(second):
        return _Stacks(second, is_shadow, second, second)
    first = starts_group.copy()
    first[0] = True
    first[1:] |= (np.diff(second) != 0) | (is_shadow[1:] != is_shadow[:-1])
    top = np.flatnonzero(first)
    group = np.cumsum(starts_group)[top]
    since_start = second[top] - second.min()
    stride = int(since_start.max()) + window_s + 1
    height = np.diff(np.append(top, len(second)))
    return _Stacks(group * stride + since_start, is_shadow[top], top, height)


def _first_choices(stacks: _Stacks, window_s: int) -> tuple[Ints, Bools]:
    """For every stack the other role's stack it would pair with first, and whether there is one."""
    before, after = _neighbours(stacks.is_shadow)
    rank_before = _rank(stacks, before, window_s)
    rank_after = _rank(stacks, after, window_s)
    choice = np.where(rank_before < rank_after, before, after)
    return choice, np.minimum(rank_before, rank_after) < _NEVER


def _neighbours(is_shadow: Bools) -> tuple[Ints, Ints]:
    """The closest row of the other role before and after each row; -1 where there is none."""
    row = np.arange(len(is_shadow))
    before, after = np.empty_like(row), np.empty_like(row)
    for role in (is_shadow, ~is_shadow):
        last = np.maximum.accumulate(np.where(role, row, -1))
        upcoming = np.minimum.accumulate(np.where(role, row, len(row))[::-1])[::-1]
        before[~role] = last[~role]
        after[~role] = upcoming[~role]
    after[after == len(row)] = -1
    return before, after


def _rank(stacks: _Stacks, other: Ints, window_s: int) -> Ints:
    """Order of preference 0, +1, -1, +2, ... of shadow minus production time; `_NEVER` outside."""
    lag = stacks.time - stacks.time[other]
    lag = np.where(stacks.is_shadow, lag, -lag)
    rank: Ints = 2 * np.abs(lag) - (lag > 0)
    rank[(other < 0) | (np.abs(lag) > window_s)] = _NEVER
    return rank


def _rows(top: Ints, taken: Ints) -> Ints:
    """`top`, `top + 1`, ... for each stack, as many as were taken."""
    before = np.cumsum(taken) - taken
    rows: Ints = np.repeat(top - before, taken) + np.arange(taken.sum())
    return rows

"""Brute: the signals of each kind of habit by their definition, over all observations at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from schemas.habit import FirstSeen, Habit, Missing, Silence, Volume
from schemas.times import HOUR

DAY, WEEK = 24, 168


class Seen(NamedTuple):
    """One observation of a group."""

    time: int
    id: str
    value: str
    amount: int
    marked: bool

    @property
    def hour(self) -> int:
        """The hour that it lies in."""
        return self.time // HOUR


Said = tuple[int, str]  # the time of a signal and the observation that it rests on


def signals(habit: Habit, seen: Sequence[Seen], until: int) -> list[Said]:
    """All signals of one group, in order."""
    ordered = sorted(set(seen))
    kinds = {FirstSeen: _first, Volume: _volume, Silence: _silence, Missing: _missing}
    found = [
        said
        for life in _lives(habit, ordered)
        for said in kinds[type(habit)](habit, life, until)  # type: ignore[operator]
    ]
    return sorted(found)


def _lives(habit: Habit, ordered: Sequence[Seen]) -> Iterator[list[Seen]]:
    """A group of which nothing was seen for as long as it is remembered begins anew."""
    life: list[Seen] = []
    for one in ordered:
        if life:
            last = life[-1]
            heard = last.time if isinstance(habit, FirstSeen) else (last.hour + 1) * HOUR
            if heard + habit.memory < one.time:
                yield life
                life = []
        life.append(one)
    if life:
        yield life


def _first(habit: FirstSeen, life: Sequence[Seen], _until: int) -> Iterator[Said]:
    for place, one in enumerate(life):
        before = (other for other in life[:place] if other.value == one.value)
        known = any(other.time + habit.memory >= one.time for other in before)
        if not known and one.time >= life[0].time + habit.learning:
            yield one.time, one.id


def _volume(habit: Volume, life: Sequence[Seen], _until: int) -> Iterator[Said]:
    totals: Counter[int] = Counter()
    for one in life:
        totals[one.hour] += one.amount
    for hour in sorted(totals):
        bound = _bound(habit, totals, life[0].hour, hour)
        running = 0
        for one in (one for one in life if one.hour == hour):
            running += one.amount
            if bound is not None and running > bound:
                yield one.time, one.id
                break


def _bound(habit: Volume, totals: Counter[int], start: int, hour: int) -> int | None:
    start = max(start, hour - habit.memory // HOUR)
    past = {one: totals[one] for one in range(start, hour)}
    days = [
        max((past.get(hour - DAY * back - one, 0) for one in range(1, DAY + 1)), default=0)
        for back in range((hour - start) // DAY + 1)
    ]
    busy = [number for number in days if number]
    if (hour - start) * HOUR < habit.learning or len(busy) < 3:
        return None
    same = [past[one] for one in past if (hour - one) % DAY == 0]
    numbers = same if len(same) >= 7 and int(median(same)) else busy
    center = int(median(numbers))
    usual = max([center, *(past[one] for one in past if (hour - one) % WEEK == 0)])
    apart = int(median([abs(number - center) for number in numbers]))
    return max(habit.least * 10**6, habit.times * usual, center + habit.deviations * apart)


def _silence(habit: Silence, life: Sequence[Seen], until: int) -> Iterator[Said]:
    for place, one in enumerate(life):
        following = life[place + 1].time if place + 1 < len(life) else None
        if following is not None and following < (one.hour + 2) * HOUR:
            continue  # not an hour was missed
        known = _known(habit, [other.hour for other in life[: place + 1]])
        if known is None or (following is not None and following < known):
            continue
        if known <= until:
            yield known, one.id


def _known(habit: Silence, spoken: Sequence[int]) -> int | None:
    """The end of the last of the hours that are missed, in microseconds."""
    last = spoken[-1]
    start = max(spoken[0], last - habit.memory // HOUR)
    if (last - start) * HOUR < habit.learning:
        return None
    missed = [hour for hour in range(last + 1, last + 2 * WEEK + 1) if _talks(spoken, start, hour)]
    return None if len(missed) < habit.hours else (missed[habit.hours - 1] + 1) * HOUR


def _talks(spoken: Sequence[int], start: int, hour: int) -> bool:
    weeks = [one for one in range(hour - WEEK, start - 1, -WEEK) if one <= spoken[-1]]
    return len(set(spoken).intersection(weeks)) >= max(2, len(weeks) - 1)


def _missing(habit: Missing, life: Sequence[Seen], _until: int) -> Iterator[Said]:
    """By the place of each match: the run that it is in, and the runs that had ended by then."""
    ordered = sorted(life, key=lambda one: (one.time, not one.marked, one.id))
    ended: list[tuple[int, int]] = []  # the hour of a marked match, the run that it ended
    run, waiting = 0, False
    for one in ordered:
        if one.marked:
            ended.append((one.hour, run))
            run, waiting = 0, False
            continue
        run += 1
        first = one.hour - habit.memory // HOUR
        remembered = [pair for pair in ended if first <= pair[0]]
        before = {hour for hour, _ in remembered if hour < one.hour}
        usual = max((length for _, length in remembered), default=0)
        learnt = (one.hour - life[0].hour) * HOUR >= habit.learning
        known = learnt and len(before) >= habit.hours
        if known and not waiting and run > max(habit.least, habit.times * usual):
            waiting = True
            yield one.time, one.id

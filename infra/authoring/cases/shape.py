"""Shape: the keys that a case and each thing in it may have; what is misspelled proves nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from correlators.ruleset import Ruleset
from correlators.sigma.values import is_list, is_object
from infra.authoring.cases.offsets import offset

_TIMES: Final = frozenset({"at", "every", "until", "onset", "last"})


class Keys(NamedTuple):
    """The keys that a mapping needs, and those that it may have."""

    needed: tuple[str, ...]
    may: tuple[str, ...] = ()

    def wrong(self, stated: object, what: str) -> Iterator[str]:
        """What of the keys of `stated`, which people call `what`, is unknown or missing."""
        if not is_object(stated):
            yield f"{what} is a mapping, not {stated!r}"
            return
        known = (*self.needed, *self.may)
        for key in stated:
            if key not in known:
                hint = near(key, [one for one in known if one not in stated])
                yield f"{what} has an unknown key `{key}`{hint}"
        for key in self.needed:
            if key not in stated:
                yield f"{what} lacks `{key}`"
        for key in _TIMES.intersection(known, stated):
            try:
                offset(stated[key])
            except ValueError as error:
                yield f"`{key}` of {what} is no time: {error}"


def wrong_each(case: Mapping[str, Any], name: str, what: str, keys: Keys) -> Iterator[str]:
    """As `Keys.wrong`, of each element of the list `name` of a case; the first is `what` 1."""
    listed = case.get(name, [])
    if not is_list(listed):
        yield f"`{name}` is a list, not {listed!r}"
        return
    for number, one in enumerate(listed, 1):
        yield from keys.wrong(one, f"{what} {number}")


def near(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?`, or nothing if no known word is near."""
    found = nearest(word, known)
    return f"; did you mean `{found}`?" if found else ""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like a word, if any is."""
    return next(iter(get_close_matches(word, list(known), n=1)), None)


def ids(ruleset: Ruleset) -> dict[str, str]:
    """The ids of detections and correlations, by name; rules refer to each other by either."""
    found = {one.detection.name: one.detection.id for one in ruleset.rules if one.detection.name}
    return found | {one.name: one.id for one in ruleset.correlations if one.name}


def called(names: Mapping[str, str], wanted: Collection[str]) -> list[str]:
    """What people call these ids, in their order: the names where there are any."""
    of = {id_: name for name, id_ in names.items()}
    return [of.get(id_, id_) for id_ in wanted]

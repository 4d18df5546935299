"""Firing: whether a rule can ever fire, given the sources that there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final, NamedTuple

from correlators.normal import CATEGORIES, PRODUCT
from correlators.ruleset import Ruleset
from correlators.sigma.contradiction import impossible
from correlators.sigma.matcher import runs_on
from correlators.sigma.outline import Node
from infra.authoring.vocabulary import Vocabulary, normalised, raw
from schemas.convergence import Convergence, Leg
from schemas.correlation import Correlation
from schemas.detection import Logsource
from streams.source import Source, categories

_NEAR: Final = 0.8  # how alike two names are at least

Vocabularies = Mapping[str, Vocabulary | None]  # by source; None: nobody says what its records have


class Firing(NamedTuple):
    """The sources on which a rule can fire, or the reason why it cannot on any.

    `group` is the reason that it shares with others, without what is particular to the rule;
    `line` is where the reason shows, if that is not the rule as a whole.
    """

    sources: tuple[str, ...]
    reason: str = ""
    group: str = ""
    line: int | None = None


class Estate:
    """The sources that there are, and what their records have: raw, and in normal form."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self.sources = sources
        self._nowhere: dict[Logsource, Firing] = {}
        self.raw: Vocabularies = {name: raw(source) for name, source in sources.items()}
        self.normal: Vocabularies = {name: normalised(source) for name, source in sources.items()}

    def routed(self, logsource: Logsource) -> Vocabularies:
        """The sources whose records a rule of that logsource sees, and what these have."""
        if logsource.product == PRODUCT:
            return {
                name: words
                for name, words in self.normal.items()
                if logsource.service in {None, name}
                and _emits(self.sources[name], logsource.category)
            }
        return {
            name: self.raw[name]
            for name, source in self.sources.items()
            if source.NARROW is not None and runs_on(logsource, source.LOGSOURCE)
        }

    def nowhere(self, logsource: Logsource) -> Firing:
        """What is to be said of a rule that sees no records at all."""
        if logsource not in self._nowhere:  # thousands of rules share a few dozen
            self._nowhere[logsource] = _nowhere(logsource, self.sources)
        return self._nowhere[logsource]


def firing(
    ruleset: Ruleset, estate: Estate, outlines: Mapping[str, Node] | None = None
) -> dict[str, Firing]:
    """What can fire, by the id of the rule; the conditions of detections as `outlines` has them."""
    known = outlines or {}
    found = {
        rule.detection.id: _detection(
            rule.detection.logsource, known.get(rule.detection.id), estate
        )
        for rule in ruleset.rules
    }
    for correlation in ruleset.correlations:  # lower levels come first
        found[correlation.id] = _correlation(correlation, ruleset, estate, found)
    for convergence in ruleset.convergences:
        found[convergence.id] = _convergence(convergence, ruleset, found)
    return found


def _detection(logsource: Logsource, outline: Node | None, estate: Estate) -> Firing:
    if logsource.product == PRODUCT and logsource.category not in {None, *CATEGORIES}:
        like = get_close_matches(str(logsource.category), CATEGORIES, 1)
        return _never(f"`{logsource.category}` is no class of events" + meant(*like))
    routed = estate.routed(logsource)
    if not routed:
        return estate.nowhere(logsource)
    if outline is None:
        return Firing(tuple(routed))
    why = {name: _contrary(outline, words, name) for name, words in routed.items()}
    able = tuple(name for name, (reason, _) in why.items() if reason is None)
    if able:
        return Firing(able)
    reason, line = next(iter(why.values()))
    others = f"; nor can it on {', '.join(list(why)[1:])}" if len(why) > 1 else ""
    return Firing((), f"{reason}{others}", str(reason), line)


def _contrary(
    outline: Node, words: Vocabulary | None, source: str
) -> tuple[str | None, int | None]:
    """Why no record of a source can fulfil a condition, and the line; None if one may."""
    if words is None:
        return None, None
    if not outline.can_hold(words.allows)[0]:
        for node in outline.nodes():  # a part that the whole hangs on, the first that says why
            absent = [field for field in node.fields if not words.allows(field)]
            if absent and not node.can_hold(words.allows)[0]:
                like = words.nearest(absent[0])
                return f"no record of {source} has `{absent[0]}`" + meant(like), node.line
    found = impossible(outline, words.single)
    return (None, None) if found is None else found


def meant(like: str | None = None) -> str:
    """The hint at a name that is nearly the one that was written."""
    return f"; did you mean `{like}`?" if like else ""


def near(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like another, if one is."""
    return next(iter(get_close_matches(name, known, 1, _NEAR)), None)


def _nowhere(logsource: Logsource, sources: Mapping[str, Source]) -> Firing:
    wanted = named(logsource)
    if logsource.product == PRODUCT and logsource.service in sources:
        return _never(f"{logsource.service} has no events of category {logsource.category}")
    like = _nearest(logsource, sources)
    shared = wanted
    if logsource.product not in {None, PRODUCT} and all(
        logsource.product != source.LOGSOURCE.product for source in sources.values()
    ):
        shared = f"product={logsource.product}"
    hint = f"; the nearest is {like}" if like else ""
    return Firing((), f"no source is {wanted}{hint}", f"no source is {shared}")


def _nearest(wanted: Logsource, sources: Mapping[str, Source]) -> str | None:
    """The logsource of a source that shares the product, or has a name like it.

    A service is a hint only where sources of one product have it: `audit` is nobody's own.
    """
    readable = [s.LOGSOURCE for s in sources.values() if s.NARROW is not None]
    if wanted.product == PRODUCT:
        like = get_close_matches(wanted.service or "", sources, 1)
        return f"product={PRODUCT} service={like[0]}" if like else None
    for one in readable:
        if wanted.product == one.product:
            return named(one)
    for word in (wanted.product, wanted.service):
        found = [one for one in readable if word is not None and _like(word, one)]
        if len({one.product for one in found}) == 1:
            return named(found[0])
    return None


def _like(word: str, logsource: Logsource) -> bool:
    words = [one for one in (logsource.product, logsource.service) if one is not None]
    return bool(get_close_matches(word, words, 1, _NEAR))


def named(logsource: Logsource) -> str:
    """A logsource as a sentence has it."""
    return " ".join(f"{name}={value}" for name, value in logsource if value and name != "also")


def _emits(source: Source, category: str | None) -> bool:
    """Whether some Event of a source can be of a class."""
    known = categories(source)
    return category is None or known is None or category in known


def _correlation(
    rule: Correlation, ruleset: Ruleset, estate: Estate, known: Mapping[str, Firing]
) -> Firing:
    """It needs hits of one of its rules, or of all: of rules that fire and have the group."""
    why = {
        id_: _hitless(rule, id_, ruleset, estate, known[id_]) for id_ in rule.rules if id_ in known
    }
    silent = {id_: reason for id_, reason in why.items() if reason is not None}
    needs_all = rule.type.startswith("temporal") and not (rule.condition or rule.clauses)
    stuck = all(not silent.keys().isdisjoint(clause.present) for clause in rule.clauses)
    if silent and (needs_all or len(silent) == len(rule.rules) or (rule.clauses and stuck)):
        return Firing((), next(iter(silent.values())), "a rule that it needs gives no hits")
    return Firing(_together(known[id_] for id_, reason in why.items() if reason is None))


def _hitless(
    rule: Correlation, id_: str, ruleset: Ruleset, estate: Estate, known: Firing
) -> str | None:
    """Why one of its rules never gives a hit to a correlation; None if it may."""
    if not known.sources:
        return f"`{id_}` cannot fire"
    logsource = next((r.detection.logsource for r in ruleset.rules if r.detection.id == id_), None)
    if logsource is None:  # a correlation: its groups were compared when it was loaded
        return None
    words = [estate.routed(logsource).get(source) for source in known.sources]
    for name in rule.group_by:
        field = rule.aliases.get(name, {}).get(id_, name)
        if all(word is not None and not word.allows(field) for word in words):
            return f"no record of `{id_}` has `{field}`, by which it groups"
    return None


def _convergence(story: Convergence, ruleset: Ruleset, known: Mapping[str, Firing]) -> Firing:
    """A story begins with any of its legs that is not about what is absent."""
    fillers = {
        name: ids for name, ids in _fillers(story, ruleset).items() if not story.legs[name].absent
    }
    able = [known[id_] for ids in fillers.values() for id_ in ids if known[id_].sources]
    if able:
        return Firing(_together(able))
    asked = [id_ for ids in fillers.values() for id_ in ids]
    reason = (
        f"`{asked[0]}` cannot fire, nor can any other rule of its legs"
        if asked
        else f"no rule fills its leg `{next(iter(story.legs))}`"
    )
    return Firing((), reason, "no rule of its legs can fire")


def silent_legs(
    story: Convergence, ruleset: Ruleset, known: Mapping[str, Firing]
) -> tuple[str, ...]:
    """The legs of a story that no rule can fill, here and now."""
    return tuple(
        name
        for name, ids in _fillers(story, ruleset).items()
        if not story.legs[name].levels and not any(known[id_].sources for id_ in ids)
    )


def _fillers(story: Convergence, ruleset: Ruleset) -> dict[str, list[str]]:
    """By leg, the rules that fill it; one of posture is filled by those that open its fact."""
    return {
        name: [id_ for id_, legs in ruleset.legs.items() if (story, name) in legs]
        if leg.fact is None
        else _openers(leg, ruleset)
        for name, leg in story.legs.items()
    }


def _openers(leg: Leg, ruleset: Ruleset) -> list[str]:
    """The detections that open the fact of a posture leg."""
    about = (rule.detection for rule in ruleset.rules)
    return [
        one.id
        for one in about
        if one.fact is not None
        and one.fact.name == leg.fact
        and one.fact.on in {leg.on, "vulnerability"}  # that of every asset that has it
        and one.fact.state != "closed"
    ]


def _never(reason: str) -> Firing:
    return Firing((), reason, reason)


def _together(parts: Iterable[Firing]) -> tuple[str, ...]:
    return tuple(sorted({name for part in parts for name in part.sources}))

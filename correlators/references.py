"""References between rules: names to ids, correlations to levels, what a detection must keep."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from correlators.document import Part, Problem
from schemas.convergence import Convergence
from schemas.correlation import Clause, Correlation

_LONGEST: Final = 20  # rules of a circle that are named


class Stated(NamedTuple):
    """A correlation and the document in which it stands."""

    part: Part
    rule: Correlation


class Names:
    """Which id a name or an id means; where `external`, what nobody is called is an id."""

    def __init__(self, *, external: bool) -> None:
        self._ids: dict[str, str] = {}
        self._paths: dict[str, str] = {}
        self._external = external

    def add(self, part: Part, id_: str, name: str | None) -> Problem | None:
        """Make an id and a name known; the Problem if another rule has one of them."""
        keys = [id_] if name is None else [id_, name]
        for key in keys:
            if key in self._ids:
                place = "name" if key == name else "id"
                message = f"another rule is already called `{key}` ({self._paths[key]})"
                return part.problem(message, place)
        self._ids.update(dict.fromkeys(keys, id_))
        self._paths.update(dict.fromkeys(keys, part.path))
        return None

    def id_of(self, reference: str) -> str | None:
        """The id that a reference means; None if it means nothing."""
        known = self._ids.get(reference) or self._ids.get(reference.lower())
        return reference if known is None and self._external else known


def linked(stated: Iterable[Stated], names: Names) -> tuple[list[Correlation], list[Problem]]:
    """The correlations with ids for names and their levels, lowest first, and what is wrong.

    Wrong is a reference to nothing, to itself however far round, or to what is wrong; and a group
    or a counted field that a lower correlation does not have.
    """
    problems: list[Problem] = []
    waiting: dict[str, Stated] = {}
    wrong: set[str] = set()
    for part, rule in stated:
        faults = list(_unknown(part, rule, names))
        problems.extend(faults)
        if faults:
            wrong.add(rule.id)
        else:
            waiting[rule.id] = Stated(part, _with_ids(rule, names))
    placed: dict[str, Correlation] = {}
    while ready := [s for s in waiting.values() if waiting.keys().isdisjoint(s.rule.rules)]:
        for part, rule in ready:
            del waiting[rule.id]
            faults = [*_spoilt(part, rule, wrong), *_never_joined(part, rule, placed)]
            problems.extend(faults)
            if faults:
                wrong.add(rule.id)
                continue
            below = (placed[id_].level_number for id_ in rule.rules if id_ in placed)
            placed[rule.id] = rule.model_copy(update={"level_number": 1 + max(below, default=0)})
    for part, rule in waiting.values():
        message = f"the references go in a circle: {' -> '.join(_circle(rule, waiting))}"
        problems.append(part.problem(message, "correlation", "rules"))
    return sorted(placed.values(), key=lambda rule: rule.level_number), problems


def needed_fields(correlations: Sequence[Correlation]) -> dict[str, tuple[str, ...]]:
    """By id, the fields of a match that correlations group by or count."""
    needed: dict[str, dict[str, None]] = {}
    for rule in correlations:
        for id_ in rule.rules:
            fields = (_field(rule, name, id_) for name in (*rule.group_by, *rule.fields))
            needed.setdefault(id_, {}).update(dict.fromkeys(fields))
    return {id_: tuple(fields) for id_, fields in needed.items()}


def with_ids(part: Part, story: Convergence, names: Names) -> Convergence | list[Problem]:
    """A convergence with ids for names, or a Problem for each reference to nothing."""
    problems: list[Problem] = []
    legs = dict(story.legs)
    for name, leg in story.legs.items():
        ids = [names.id_of(reference) for reference in leg.of]
        for index, (reference, id_) in enumerate(zip(leg.of, ids, strict=True)):
            if id_ is None:
                message = f"`{reference}` is no rule that is loaded"
                problems.append(part.problem(message, "legs", name, "of", index))
        legs[name] = leg.model_copy(update={"of": tuple(ids)})
    return problems or story.model_copy(update={"legs": legs})


def _unknown(part: Part, rule: Correlation, names: Names) -> Iterator[Problem]:
    ids = {names.id_of(reference) for reference in rule.rules}
    for index, reference in enumerate(rule.rules):
        if names.id_of(reference) is None:
            message = f"`{reference}` is no rule that is loaded"
            yield part.problem(message, "correlation", "rules", index)
    if len(ids) < len(rule.rules):
        yield part.problem("a rule is named twice, by id and by name", "correlation", "rules")
    for alias, fields in rule.aliases.items():
        for reference in fields:
            if names.id_of(reference) not in ids:
                message = f"`{reference}` is not among `rules`"
                yield part.problem(message, "correlation", "aliases", alias, reference)


def _with_ids(rule: Correlation, names: Names) -> Correlation:
    aliases = {
        alias: {names.id_of(reference): field for reference, field in fields.items()}
        for alias, fields in rule.aliases.items()
    }
    rules = tuple(names.id_of(reference) for reference in rule.rules)
    clauses = tuple(
        Clause(
            present=tuple(str(names.id_of(reference)) for reference in clause.present),
            absent=tuple(str(names.id_of(reference)) for reference in clause.absent),
        )
        for clause in rule.clauses
    )
    return rule.model_copy(update={"rules": rules, "clauses": clauses, "aliases": aliases})


def _spoilt(part: Part, rule: Correlation, wrong: set[str]) -> Iterator[Problem]:
    for index, id_ in enumerate(rule.rules):
        if id_ in wrong:
            message = f"`{id_}` cannot be used, so this cannot either"
            yield part.problem(message, "correlation", "rules", index)


def _never_joined(
    part: Part, rule: Correlation, placed: Mapping[str, Correlation]
) -> Iterator[Problem]:
    """A finding has the values of its group and no others."""
    for id_ in rule.rules:
        lower = placed.get(id_)
        if lower is not None:
            for name in (*rule.group_by, *rule.fields):
                if (field := _field(rule, name, id_)) not in lower.group_by:
                    message = f"`{field}` is not what `{id_}` groups by, so it has no such value"
                    yield part.problem(message, "correlation", "group-by")


def _field(rule: Correlation, name: str, id_: str) -> str:
    return rule.aliases.get(name, {}).get(id_, name)


def _circle(rule: Correlation, waiting: Mapping[str, Stated]) -> list[str]:
    """The way round from a rule; of a long one the beginning, or n rules would name n each."""
    path = [rule.id]
    while path[-1] not in path[:-1]:
        if len(path) > _LONGEST:
            return [*path, "..."]
        path.append(next(id_ for id_ in waiting[path[-1]].rule.rules if id_ in waiting))
    return path

"""Standards: the frameworks and criteria that come with the package, every reference resolved."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import ValidationError

from correlators.document import Document, Part, Problem, parts
from correlators.ruleset import Ruleset, builtin, parse
from correlators.sigma.head import invalid
from correlators.sigma.values import is_list, is_object
from schemas.framework import Against, Control, Criterion, Framework
from schemas.policy import Policy

FRAMEWORKS: Final = "frameworks"
CRITERIA: Final = "criteria"
FINDING: Final = "finding"  # the fact that every open finding of a scanner is

R = TypeVar("R", Framework, Criterion, Policy)


class Standards(NamedTuple):
    """Frameworks and criteria by id, and what is wrong with the files that are in neither."""

    frameworks: Mapping[str, Framework]
    criteria: Mapping[str, Criterion]
    problems: tuple[Problem, ...] = ()

    def framework(self, name: str) -> Framework | None:
        """The framework of that id or alias."""
        named = (one for one in self.frameworks.values() if name in one.aliases)
        return self.frameworks.get(name) or next(named, None)

    def tagged(self) -> Mapping[str, tuple[tuple[Framework, Control], ...]]:
        """The controls that each tag of a rule stands for."""
        found: dict[str, list[tuple[Framework, Control]]] = {}
        for framework in self.frameworks.values():
            for control in framework.controls:
                if control.tag is not None:
                    found.setdefault(control.tag, []).append((framework, control))
        return {tag: tuple(controls) for tag, controls in found.items()}


@cache
def standards() -> Standards:
    """Those of the package, checked against its rules. ValueError for what is wrong with them."""
    found = read(packaged(FRAMEWORKS), packaged(CRITERIA), parse(builtin()))
    if found.problems:
        raise ValueError("; ".join(map(str, found.problems)))
    return found


def read(
    frameworks: Iterable[Document], criteria: Iterable[Document], ruleset: Ruleset
) -> Standards:
    """The frameworks and criteria of these documents; a dangling reference is a Problem."""
    problems: list[Problem] = []
    named = Named(ruleset)
    judged = {one.id: one for one in checked(criteria, Criterion, named.criterion, problems)}

    def unknown(part: Part, one: Framework) -> Iterator[Problem]:
        for number, control in enumerate(one.controls):
            for id_ in control.criteria:
                if id_ not in judged:
                    message = f"`{control.ref}` rests on `{id_}`, which is no criterion"
                    yield part.problem(message, "controls", number, "criteria")

    known = {one.id: one for one in checked(frameworks, Framework, unknown, problems)}
    return Standards(known, judged, tuple(problems))


class Named:
    """What rules, stories and facts there are to refer to."""

    def __init__(self, ruleset: Ruleset) -> None:
        self.rules = {rule.detection.id for rule in ruleset.rules}
        self.rules |= {rule.id for rule in ruleset.correlations}
        self.stories = {story.id for story in ruleset.convergences} | {"*"}
        self.facts = {r.detection.fact.name for r in ruleset.rules if r.detection.fact} | {FINDING}

    def criterion(self, part: Part, criterion: Criterion) -> Iterator[Problem]:
        """Each reference of a criterion that leads nowhere."""
        for number, one in enumerate(criterion.against):
            yield from self.against(part, one, "against", number)
        for number, need in enumerate(criterion.needs):
            for id_ in need.signalled:
                if id_ not in self.rules:
                    yield part.problem(f"`{id_}` is no rule", "needs", number, "signalled")

    def against(self, part: Part, one: Against, *where: str | int) -> Iterator[Problem]:
        """Each reference that leads nowhere; the Against stands at `where` in the part."""
        asked: tuple[tuple[str, Collection[str], Collection[str], str], ...] = (
            ("rules", one.rules, self.rules, "rule"),
            ("alerts", one.alerts, self.stories, "convergence"),
            ("facts", one.facts, self.facts, "fact that a rule opens"),
        )
        for key, ids, known, what in asked:
            for id_ in ids:
                if id_ not in known:
                    yield part.problem(f"`{id_}` is no {what}", *where, key)


def checked(
    documents: Iterable[Document],
    model: type[R],
    dangling: Callable[[Part, R], Iterator[Problem]],
    problems: list[Problem],
) -> Iterator[R]:
    """What these documents hold, each named as its file; what is wrong is added to `problems`."""
    seen: set[str] = set()
    for document in documents:
        for part in parts(document):
            if isinstance(part, Problem):
                problems.append(part)
                continue
            try:
                one = model.model_validate(_spanned(part.data) | {"path": part.path})
            except ValidationError as error:
                problems += invalid(part, error)
                continue
            wrong = list(dangling(part, one))
            if one.id != part.stem:
                wrong.append(part.problem(f"`{one.id}` is not the name of its file", "id"))
            if one.id in seen:
                wrong.append(part.problem(f"`{one.id}` is there twice", "id"))
            seen.add(one.id)
            problems += wrong
            if not wrong:
                yield one


def _spanned(data: Any) -> Any:  # noqa: ANN401 - JSON-like
    """Durations as text: `60` has no unit, and inside a plain number is microseconds."""
    if is_object(data):
        return {
            key: str(value) if key == "within" else _spanned(value) for key, value in data.items()
        }
    return [_spanned(one) for one in data] if is_list(data) else data


def packaged(name: str) -> Iterator[Document]:
    """The files of a folder of the package, by name."""
    folder = resources.files("correlators") / name
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        yield Document(f"correlators/{name}/{file.name}", file.read_text("utf-8"))

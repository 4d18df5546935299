"""Ruleset: all rules that run together, every reference resolved, or what is wrong with them."""

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property, partial
from importlib import resources
from typing import Final, NamedTuple

from correlators.advisories.feed import NONE as NO_FEED
from correlators.advisories.feed import Feed
from correlators.document import Document, Faulty, Part, Problem, parts
from correlators.meaning import meaning
from correlators.references import Names, Stated, linked, needed_fields, with_ids
from correlators.sigma import atr, load
from correlators.sigma.condition import stated
from correlators.sigma.correlation import correlation
from correlators.sigma.processing import NONE, Processing, Subject
from correlators.sigma.rule import Rule
from correlators.story import convergence
from schemas.canonical import digest
from schemas.convergence import Convergence
from schemas.correlation import Correlation
from schemas.detection import Detection

FOLDERS: Final = ("detections", "correlations", "convergences")
SUFFIX: Final = ".yml"
CASES: Final = ".cases.yml"

_NEAR: Final = 0.8  # how alike two keys are at least


class Filtered(NamedTuple):
    """A filter, and the ids of the detections that it takes matches from."""

    filter: load.Filter
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Ruleset:
    """Rules in the order of their documents, correlations by level; none that has a Problem.

    `notes` say of loaded rules what of them cannot run. `meanings`: by id of a detection, a hash of
    all that decides what it matches. `sha256` is over the texts, in no order: equal means the same
    rules.
    """

    rules: tuple[Rule, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    convergences: tuple[Convergence, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = field(default=(), compare=False)
    sha256: str = field(default="", compare=False)
    processing: Processing = field(default=NONE, compare=False)
    meanings: Mapping[str, str] = field(default_factory=dict[str, str], compare=False)
    filters: tuple[Filtered, ...] = field(default=(), compare=False)
    advisories: Feed = field(default=NO_FEED, compare=False)

    def advised(self, feed: Feed) -> "Ruleset":
        """With the advisories of a feed, which are part of what runs: of `sha256` too."""
        if not feed.sha256:
            return self
        return replace(self, advisories=feed, sha256=digest(self.sha256, feed.sha256))

    def detection(self, id_: str) -> Detection:
        """What is known of a detection. KeyError if there is none of that id."""
        return self._detections[id_]

    @property
    def levels(self) -> int:
        """The number of strata of correlations."""
        return max((rule.level_number for rule in self.correlations), default=0)

    def of_level(self, level: int) -> tuple[Correlation, ...]:
        """The correlations of one stratum, from 1."""
        return tuple(rule for rule in self.correlations if rule.level_number == level)

    def only(self, paths: Collection[str]) -> "Ruleset":
        """The detections and correlations of these files, and all that these refer to.

        Of Problems and notes those of these files.
        """
        wanted = {one.detection.id for one in self.rules if one.detection.path in paths}
        for rule in reversed(self.correlations):  # higher levels first
            if rule.path in paths or rule.id in wanted:
                wanted |= {rule.id, *rule.rules}
        return replace(
            self,
            rules=tuple(rule for rule in self.rules if rule.detection.id in wanted),
            correlations=tuple(rule for rule in self.correlations if rule.id in wanted),
            problems=tuple(problem for problem in self.problems if problem.path in paths),
            notes=tuple(note for note in self.notes if note.path in paths),
        )

    @cached_property
    def habits(self) -> tuple[Detection, ...]:
        """The detections whose matches are observed, and are no signals by themselves."""
        return tuple(rule.detection for rule in self.rules if rule.detection.habit is not None)

    @cached_property
    def feeds(self) -> Mapping[str, tuple[Correlation, ...]]:
        """By id of a detection or correlation, the correlations that refer to it."""
        found: dict[str, list[Correlation]] = {}
        for rule in self.correlations:
            for id_ in rule.rules:
                found.setdefault(id_, []).append(rule)
        return {id_: tuple(rules) for id_, rules in found.items()}

    @cached_property
    def legs(self) -> Mapping[str, tuple[tuple[Convergence, str], ...]]:
        """By id of a detection or correlation, the legs that it fills: named, or by its level."""
        levels = {rule.detection.id: rule.detection.level for rule in self.rules}
        levels |= {rule.id: rule.level for rule in self.correlations}
        found: dict[str, list[tuple[Convergence, str]]] = {}
        for story in self.convergences:
            for name, leg in story.legs.items():
                by_level = (
                    id_
                    for id_, level in levels.items()
                    if level in leg.levels and id_ not in self.silent
                )
                for id_ in (*leg.of, *by_level):
                    found.setdefault(id_, []).append((story, name))
        return {id_: tuple(legs) for id_, legs in found.items()}

    @cached_property
    def silent(self) -> frozenset[str]:
        """The rules that a correlation refers to without `generate`: they alert nobody alone."""
        return frozenset(
            id_ for rule in self.correlations if not rule.generate for id_ in rule.rules
        )

    @cached_property
    def _detections(self) -> dict[str, Detection]:
        return {rule.detection.id: rule.detection for rule in self.rules}


def parse(
    documents: Iterable[Document], *, external: bool = False, processing: Processing = NONE
) -> Ruleset:
    """The rules of these documents.

    A file may hold several rules, separated by `---`. `external`: correlations may refer to rules
    that are not here, because their signals are given. `processing` is done to each rule and its
    filters before they are compiled.
    """
    return _Parsing(external=external, processing=processing).ruleset(documents)


def builtin() -> Iterator[Document]:
    """The rules that come with the package, by folder and name."""
    return (document for document in _packaged() if not document.path.endswith(CASES))


def builtin_cases() -> dict[str, Document]:
    """Their cases, by the path of the rule."""
    return {
        document.path.removesuffix(CASES) + SUFFIX: document
        for document in _packaged()
        if document.path.endswith(CASES)
    }


def _packaged() -> Iterator[Document]:
    package = resources.files("correlators")
    for name in FOLDERS:
        folder = package / name
        if folder.is_dir():
            for file in sorted(folder.iterdir(), key=lambda file: file.name):
                if file.name.endswith(SUFFIX):
                    path = f"correlators/{name}/{file.name}"
                    yield Document(path, file.read_text("utf-8"))


class _Parsing:
    """What was read so far."""

    def __init__(self, *, external: bool, processing: Processing) -> None:
        self._processing = processing
        self._names = Names(external=external)
        self._stories_names = Names(external=False)  # no rule can refer to a convergence
        self._problems: list[Problem] = []
        self._notes: list[Problem] = []
        self._rules: list[tuple[Part, Rule]] = []
        self._filters: list[tuple[load.Filter, str, list[str]]] = []
        self._meanings: dict[str, str] = {}
        self._correlations: list[Stated] = []
        self._convergences: list[tuple[Part, Convergence]] = []

    def ruleset(self, documents: Iterable[Document]) -> Ruleset:
        texts: list[str] = []
        for document in documents:
            texts.append(document.text)
            for part in parts(document):
                if isinstance(part, Problem):
                    self._problems.append(part)
                else:
                    self._read(part)
        correlations, problems = linked(self._correlations, self._names)
        self._problems += problems
        stories = tuple(self._stories())
        if self._processing.pipeline is not None:
            correlations = list(self._processed(correlations))
        needed = needed_fields(correlations)
        rules = tuple(self._finished(part, rule, needed) for part, rule in self._rules)
        texts = [*sorted(texts), *self._processing.sources]
        told = tuple(dict.fromkeys(self._problems))  # a filter has the same for each of its rules
        return Ruleset(
            rules,
            tuple(correlations),
            stories,
            told,
            tuple(self._notes),
            digest(*texts),
            self._processing,
            self._meanings,
            tuple(Filtered(one, tuple(ids)) for one, _, ids in self._filters),
        )

    def _read(self, part: Part) -> None:
        """Each kind of document is known by a key that no other has."""
        kinds = {
            "detection": self._rule,
            "correlation": self._correlation,
            "filter": self._filter,
            "legs": self._convergence,
        }
        found = [kind for key, kind in kinds.items() if key in part.data]
        if len(found) != 1:
            keys = ", ".join(f"`{key}`" for key in kinds)
            message = f"a rule has exactly one of the keys {keys}"
            for key in () if found else part.data:
                for near in get_close_matches(key, kinds, 1, _NEAR):
                    message += f"; did you mean `{near}` by `{key}`?"
            self._problems.append(part.problem(message))
            return
        try:
            found[0](part)
        except Faulty as faulty:
            self._problems += faulty.problems

    def _rule(self, part: Part) -> None:
        if atr.KEY in part.data:
            part, lost = atr.sigma(part)
            self._notes += lost
        read = load.rule(part, self._processing)
        if self._is_new(self._names.add(part, read.detection.id, read.detection.name)):
            self._rules.append((part, read))
            self._meanings[read.detection.id] = meaning(part, self._processing.sources)

    def _correlation(self, part: Part) -> None:
        read = correlation(part)
        if self._is_new(self._names.add(part, read.id, read.name)):
            self._correlations.append(Stated(part, read))

    def _filter(self, part: Part) -> None:
        self._filters.append((load.filter_(part, self._processing), meaning(part), []))

    def _convergence(self, part: Part) -> None:
        read = convergence(part)
        if self._is_new(self._stories_names.add(part, read.id, None)):
            self._convergences.append((part, read))

    def _is_new(self, problem: Problem | None) -> bool:
        if problem is not None:
            self._problems.append(problem)
        return problem is None

    def _finished(self, part: Part, read: Rule, needed: Mapping[str, tuple[str, ...]]) -> Rule:
        id_ = read.detection.id
        for further, said, filtered in self._filters:
            if further.applies(read, load.logsource(part)):
                try:
                    read = further.on(read, Subject(self._processing, part))
                except Faulty as faulty:  # rather a match too many than one too few
                    self._problems += faulty.problems
                    continue
                filtered.append(id_)
                self._meanings[id_] = digest(self._meanings[id_], said)
        detection = read.detection
        fields = dict.fromkeys((*detection.fields, *needed.get(detection.id, ())))
        return replace(read, detection=detection.model_copy(update={"fields": tuple(fields)}))

    def _processed(self, correlations: Iterable[Correlation]) -> Iterator[Correlation]:
        """The correlations, lowest first, with what the pipeline makes of the fields they read."""
        about = {rule.id: part for part, rule in self._correlations}
        wrong: set[str] = set()
        for rule in correlations:
            try:
                yield self._renamed(about[rule.id], rule, wrong)
            except Faulty as faulty:
                wrong.add(rule.id)
                self._problems += faulty.problems

    def _renamed(self, about: Part, rule: Correlation, wrong: Container[str]) -> Correlation:
        """With an alias for each field that the pipeline renames; the group keeps its name."""
        if lost := [id_ for id_ in rule.rules if id_ in wrong]:
            message = f"`{lost[0]}` cannot be used, so this cannot either"
            raise Faulty(about.problem(message, "correlation", "rules"))
        aliases = {name: dict(fields) for name, fields in rule.aliases.items()}
        for part, read in self._rules:
            if (id_ := read.detection.id) in rule.rules:
                subject = Subject(self._processing, part)
                for name in (*rule.group_by, *rule.fields):
                    field = aliases.get(name, {}).get(id_, name)
                    renamed = subject.renamed(field, partial(stated, part, "detection"))
                    if renamed is None:
                        message = f"the pipeline has no single name for `{field}` of `{id_}`"
                        raise Faulty(about.problem(message, "correlation", "group-by"))
                    if renamed != name:
                        aliases.setdefault(name, {})[id_] = renamed
        return rule.model_copy(update={"aliases": aliases})

    def _stories(self) -> Iterator[Convergence]:
        for part, read in self._convergences:
            story = with_ids(part, read, self._names)
            if isinstance(story, Convergence):
                yield story
            else:
                self._problems += story

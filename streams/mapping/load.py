"""Load: a mapping file as values, or all that is wrong with it, each with its line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any, Final, TypeVar

from correlators.document import Document, Faulty, Part, Problem, parts
from correlators.sigma.values import is_list, is_object
from schemas.detection import Logsource
from schemas.entity import KINDS
from schemas.event import LEVELS
from schemas.times import MINUTE, duration
from streams.mapping import mapped
from streams.mapping.classes import SAID
from streams.mapping.mapped import Link, Thing
from streams.mapping.moments import Format, format_
from streams.mapping.terms import Each, Path, Term, Wrong, path, template, written

_KEYS: Final = (
    *("title", "logsource", "lateness", "sniff", "records", "uid", "time", "class", "activity"),
    *("status", "severity", "message", "actor", "client", "entities", "edges", "finding"),
    *("attributes", "private"),
)
_TERM: Final = ("path", "template", "value", "map", "else")
_FINDING: Final = (
    *("uid", "title", "state", "check", "vulnerability", "package", "fixed_version", "location"),
)
_STATUS: Final = ("success", "failure", "unknown")
_STATES: Final = ("open", "resolved", "closed", "fixed")
_MOST: Final = 256  # entries of one section
_T = TypeVar("_T")
_Way = tuple[str | int, ...]


def load(document: Document, name: str) -> mapped.Mapping:
    """The mapping of a file. Faulty: what is wrong with it."""
    found = list(parts(document))
    wrong = [one for one in found if isinstance(one, Problem)]
    whole = [one for one in found if isinstance(one, Part)]
    if wrong or len(whole) != 1:
        raise Faulty(*wrong or [Problem(document.path, None, "a mapping is one YAML document")])
    return _Loading(whole[0]).mapping(name)


class _Loading:
    """Reads all of a file before it says what is wrong."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._problems: list[Problem] = []

    def mapping(self, name: str) -> mapped.Mapping:
        data = self._part.data
        self._known(data, _KEYS, ())
        for needed in ("time", "class", "entities"):
            if needed not in data:
                self._wrong(f"a mapping needs `{needed}`")
        keys = data.get("sniff", [])
        keys = keys if is_list(keys) else [keys]
        time, format_of = self._time(data.get("time", "time"))
        entities = {n: self._thing(v, ("entities", n)) for n, v in self._section("entities")}
        found = mapped.Mapping(
            name=name,
            title=self._text(data.get("title", name), ("title",)),
            logsource=self._logsource(data.get("logsource"), name),
            lateness=self._tried(lambda: duration(str(data["lateness"])), ("lateness",), MINUTE)
            if "lateness" in data
            else 5 * MINUTE,
            keys=tuple(self._path(key, ("sniff", n)) for n, key in enumerate(keys)),
            records=self._path(data["records"], ("records",)) if "records" in data else None,
            uid=self._optional("uid"),
            time=time,
            format=format_of,
            class_=self._chosen(data["class"], ("class",), SAID) if "class" in data else Term(),
            activity=self._optional("activity"),
            status=self._optional("status", _STATUS),
            severity=self._optional("severity", LEVELS),
            message=self._optional("message"),
            actor=self._thing(data["actor"], ("actor",)) if "actor" in data else None,
            client=self._terms("client", ("ip", "user_agent")),
            entities=entities,
            edges=tuple(self._edges(data.get("edges", []), entities)),
            finding=self._finding(),
            attributes=self._terms("attributes"),
            private=self._terms("private"),
        )
        if self._problems:
            raise Faulty(*self._problems)
        return found

    # -- sections

    def _time(self, said: Any) -> tuple[Term, Format]:  # noqa: ANN401 - YAML
        form, zone = "rfc3339", None
        if is_object(said):
            said = dict(said)
            form, zone = said.pop("format", form), said.pop("zone", None)
        found = self._tried(partial(format_, form, zone), ("time",), Format())
        return self._term(said, ("time",)), found

    def _logsource(self, said: Any, name: str) -> Logsource:  # noqa: ANN401 - YAML
        if said is None:
            return Logsource(product="generic", service=name)
        self._known(said, ("product", "service", "category"), ("logsource",))
        given = {k: str(v) for k, v in said.items()} if is_object(said) else {}
        return Logsource(
            product=given.get("product"),
            service=given.get("service"),
            category=given.get("category"),
        )

    def _finding(self) -> dict[str, Term]:
        found = self._terms("finding", _FINDING)
        said = self._part.data.get("finding")
        if is_object(said) and "state" in said:
            self._meant(said["state"], ("finding", "state"), _STATES)
        return found

    def _edges(self, said: Any, entities: Collection[str]) -> list[Link]:  # noqa: ANN401 - YAML
        if not is_list(said):
            self._wrong("`edges` is a list", "edges")
            return []
        return [self._edge(one, ("edges", n), entities) for n, one in enumerate(said[:_MOST])]

    def _edge(self, said: Any, way: _Way, entities: Collection[str]) -> Link:  # noqa: ANN401 - YAML
        told = said if is_object(said) else {}
        self._known(said, ("from", "relation", "to", "declared", "ended", "each"), way)
        ends: dict[str, Thing | str] = {}
        for end in ("from", "to"):
            one = told.get(end)
            if isinstance(one, str):
                if one not in entities and one != "actor":
                    near = _near(one, [*entities, "actor"])
                    self._wrong(f"`{end}`: there is no entity `{one}`{near}", *way, end)
                ends[end] = one
            else:
                ends[end] = self._thing(one, (*way, end))
        relation = told.get("relation", "")
        turns = {name: self._turn(told, name, way) for name in ("declared", "ended")}
        return Link(
            ends["from"],
            self._term(relation, (*way, "relation")) if is_object(relation) else _fixed(relation),
            ends["to"],
            **turns,
            each=self._each(told, way),
        )

    def _turn(self, said: Mapping[str, Any], name: str, way: _Way) -> Term:
        """True or false, or where the record says so."""
        value = said.get(name, False)
        return Term(value=value) if isinstance(value, bool) else self._term(value, (*way, name))

    def _thing(self, said: Any, way: _Way) -> Thing:  # noqa: ANN401 - YAML
        told = said if is_object(said) else {}
        self._known(said, ("kind", "id", "name", "each"), way)
        for needed in ("kind", "id"):
            if needed not in told:
                self._wrong(f"an entity has a `{needed}`", *way)
        return Thing(
            self._chosen(told["kind"], (*way, "kind"), KINDS) if "kind" in told else Term(),
            self._term(told["id"], (*way, "id")) if "id" in told else Term(),
            self._term(told["name"], (*way, "name")) if "name" in told else Term(),
            self._each(told, way),
        )

    def _each(self, said: Mapping[str, Any], way: _Way) -> Each:
        return Each(self._path(said["each"], (*way, "each")) if "each" in said else None)

    def _terms(self, name: str, known: Collection[str] = ()) -> dict[str, Term]:
        said = self._part.data.get(name, {})
        if known:
            self._known(said, known, (name,))
        return {key: self._term(value, (name, key)) for key, value in self._section(name)}

    def _section(self, name: str) -> list[tuple[str, Any]]:
        said = self._part.data.get(name, {})
        if not is_object(said) or len(said) > _MOST:
            self._wrong(f"`{name}` is a mapping of at most {_MOST} names to values", name)
            return []
        return list(said.items())

    # -- values

    def _optional(self, name: str, meant: Collection[str] = ()) -> Term:
        said = self._part.data.get(name)
        if said is None:
            return Term()
        if meant:
            self._meant(said, (name,), meant)
        return self._term(said, (name,))

    def _chosen(self, said: Any, way: _Way, known: Collection[str]) -> Term:  # noqa: ANN401 - YAML
        """A name of a fixed list where it stands alone, else a term."""
        if not is_object(said):
            if str(said).lower() not in known:
                shown = [one for one in known if not one.isdecimal() and " " not in one]
                near = _near(str(said), shown) or f"; there are {', '.join(sorted(shown))}"
                self._wrong(f"`{way[-1]}`: `{said}` is none that is known{near}", *way)
            return _fixed(said)
        self._meant(said, way, known)
        return self._term(said, way)

    def _meant(self, said: Any, way: _Way, known: Collection[str]) -> None:  # noqa: ANN401 - YAML
        """Each constant of a term must be one of a fixed list."""
        if not is_object(said):
            return
        meant = said.get("map")
        values = list(meant.items()) if is_object(meant) else []
        values += [(key, said[key]) for key in ("else", "value") if key in said]
        for key, value in values:
            if str(value).lower() not in known:
                place = (*way, "map", key) if is_object(meant) and key in meant else (*way, key)
                self._wrong(f"`{value}` is none of {', '.join(sorted(known)[:8])}", *place)

    def _term(self, said: Any, way: _Way) -> Term:  # noqa: ANN401 - YAML
        if not is_object(said):
            return Term(paths=(self._path(said, way),))
        self._known(said, _TERM, way)
        ways = [key for key in ("path", "template", "value") if key in said]
        if len(ways) != 1:
            self._wrong("a value has exactly one of `path`, `template` and `value`", *way)
            return Term()
        paths = said.get("path", [])
        filled: tuple[str | Path, ...] = ()
        if "template" in said:
            filled = self._tried(lambda: template(said["template"]), (*way, "template"), filled)
        meant = said.get("map")
        if meant is not None and not is_object(meant):
            self._wrong("`map` is a mapping of what a record says to what it means", *way, "map")
            meant = None
        return Term(
            paths=tuple(
                self._path(one, (*way, "path")) for one in (paths if is_list(paths) else [paths])
            ),
            template=filled,
            value=said.get("value"),
            known=None if meant is None else {key.lower(): value for key, value in meant.items()},
            otherwise=said.get("else"),
        )

    def _path(self, said: Any, way: _Way) -> Path:  # noqa: ANN401 - YAML
        return self._tried(lambda: path(said), way, Path(()))

    def _text(self, said: Any, way: _Way) -> str:  # noqa: ANN401 - YAML
        if not isinstance(said, str) or not said:
            self._wrong(f"`{way[-1]}` is a text", *way)
        return written(said)[:256]

    def _tried(self, read: Callable[[], _T], way: _Way, otherwise: _T) -> _T:
        try:
            return read()
        except (Wrong, ValueError) as wrong:
            self._wrong(str(wrong), *way)
        except KeyError:
            pass  # there is nothing to read, and that was said
        return otherwise

    def _known(self, said: Any, known: Collection[str], way: _Way) -> None:  # noqa: ANN401 - YAML
        if not is_object(said):
            self._wrong(f"`{way[-1] if way else ''}` has the keys {', '.join(known)}", *way)
            return
        for key in said:
            if key not in known:
                near = _near(key, known) or f"; there are {', '.join(known)}"
                self._wrong(f"`{key}` is no key here{near}", *way, key)

    def _wrong(self, message: str, *way: str | int) -> None:
        self._problems.append(self._part.problem(message, *way))


def _fixed(said: object) -> Term:
    return Term(value=written(said))


def _near(said: str, known: Collection[str]) -> str:
    near = get_close_matches(said, known, 1)
    return f"; did you mean `{near[0]}`?" if near else ""

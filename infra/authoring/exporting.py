"""Exporting: rules and filters as plain Sigma, for tools that know nothing of us."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

import yaml

from correlators.document import Part, parts
from correlators.ruleset import Ruleset
from correlators.sigma.condition import where_nothing_holds
from infra.authoring.checking import rows
from infra.authoring.places import Places
from infra.rules import RuleFile

LICENSE: Final = "Apache-2.0"
MARK: Final = "# Written by `barograph rules export`, which replaces and removes it.\n"
FOLDERS: Final = ("detections", "correlations", "filters")
_HEADER: Final = f"# SPDX-License-Identifier: {LICENSE}\n"
_LONGEST: Final = 80  # characters of a file name
_OURS: Final = "barograph"
_NAMES: Final = UUID("6f0e3e52-6d1c-5d0a-9a5e-3d6d1f6c2b10")  # of ids made of the names of rules
_ORDER: Final = ("title", "id", "name", "status", "description", "license", "author", "date")


class Exported(NamedTuple):
    """A rule as the text of a file `name`; or the reason why Sigma has no way to say it."""

    rule: str
    name: str
    text: str | None
    reason: str = ""


def exported(files: Iterable[RuleFile], ruleset: Ruleset, *, ours: bool) -> Iterator[Exported]:
    """Each rule and filter of these files as plain Sigma, one to a file.

    They are as written: no pipeline is applied. Keys that only we know are left out, what has no id
    gets one made of its name. A filter that says what it removes says what it leaves instead: that
    is how pySigma reads it. `ours`: the rules are those of the package and under its licence;
    others keep what they say of theirs.
    """
    files = list(files)
    stated = [*_rules(files, ruleset), *_filters(files)]
    names = _names(one for one in stated if one.part is not None)
    for one in stated:
        if one.part is None:
            yield Exported(one.id, "", None, f"a {one.kind}, which Sigma has no word for")
        else:
            name = f"{one.folder}/{names[one.folder, one.id]}.yml"
            yield Exported(one.id, name, _text(one.id, one.part, ours=ours))


class _Stated(NamedTuple):
    """A rule of the files, and its document if Sigma has a word for it."""

    folder: str
    id: str
    part: Part | None
    kind: str = ""


def _rules(files: Iterable[RuleFile], ruleset: Ruleset) -> Iterator[_Stated]:
    files = list(files)
    places = Places(file.document for file in files)
    habits = {about.id for about in ruleset.habits}
    for row in rows(files, ruleset):
        kind = "habit" if row.id in habits else row.kind
        part = None if kind in {"convergence", "habit"} else places.of(row.path, row.id)
        yield _Stated(f"{row.kind}s", row.id, part, kind)


def _filters(files: Iterable[RuleFile]) -> Iterator[_Stated]:
    taken: Counter[str] = Counter()  # nobody refers to a filter: two may be called the same
    for file in files:
        if "filter" not in file.document.text:
            continue
        for part in parts(file.document):
            if isinstance(part, Part) and "filter" in part.data:
                id_ = str(part.data.get("id") or part.data.get("name") or part.stem)
                taken[id_] += 1
                yield _Stated("filters", id_ if taken[id_] == 1 else f"{id_}_{taken[id_]}", part)


def _names(stated: Iterable[_Stated]) -> dict[tuple[str, str], str]:
    """By folder and id, a file name: that of the rule, else that of its file, else its id."""
    wished = {(one.folder, one.id): _wish(one) for one in stated}
    often = Counter((folder, wish.lower()) for (folder, _), wish in wished.items())
    names: dict[tuple[str, str], str] = {}
    taken: set[tuple[str, str]] = set()
    alone = {key for key, wish in wished.items() if often[key[0], wish.lower()] == 1}
    for key, wish in sorted(wished.items(), key=lambda one: one[0] not in alone):
        folder, id_ = key
        name = plain = wish if key in alone else _file(id_)
        number = 1
        while (folder, name.lower()) in taken:
            number += 1
            name = f"{plain}_{number}"
        taken.add((folder, name.lower()))
        names[key] = name
    return names


def _wish(one: _Stated) -> str:
    name = None if one.part is None else one.part.data.get("name") or one.part.stem
    return _file(str(name or one.id))


def _file(name: str) -> str:
    """A file name: without what could lead out of the folder."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name[:_LONGEST])


def _text(id_: str, part: Part, *, ours: bool) -> str:
    data = {key: value for key, value in part.data.items() if key != _OURS}
    kind = "filter " if "filter" in data else ""  # it may be called as a rule is
    data.setdefault("id", str(uuid5(_NAMES, f"{kind}{id_}")))
    if kind:
        data["filter"] = _left(part)
    elif id_ != data["id"]:
        data.setdefault("name", id_)  # others refer to it so
    if isinstance(data.get("description"), str):
        data["description"] = data["description"].strip()
    if ours:
        data["license"] = LICENSE
    ordered = {key: data[key] for key in (*_ORDER, *data) if key in data}
    return (
        (_HEADER if ours else "")
        + MARK
        + yaml.dump(ordered, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    )


def _left(part: Part) -> dict[str, Any]:
    """The `filter:` section, with a condition that holds for what is left."""
    section: dict[str, Any] = part.data["filter"]
    if where_nothing_holds(part, "filter"):
        return section
    return section | {"condition": f"not ({section['condition']})"}


class _Dumper(yaml.SafeDumper):
    """Lists are indented, and nothing is an alias."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:  # noqa: ANN401, ARG002, FBT001, FBT002 - pyyaml's own
        return super().increase_indent(flow, False)  # noqa: FBT003

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Text of several lines stays so."""
        return yaml.ScalarNode("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - pyyaml's own
        return True


_Dumper.add_representer(str, _Dumper.represent_text)

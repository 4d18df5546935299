"""Exporting: our detections and correlations as plain Sigma, for tools that know nothing of us."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

import yaml

from correlators.document import Part
from correlators.ruleset import Ruleset
from infra.checking import Row, rows
from infra.places import Places
from infra.rules import RuleFile

LICENSE: Final = "Apache-2.0"
_HEADER: Final = f"# SPDX-License-Identifier: {LICENSE}\n"
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
    """Each rule of these files as plain Sigma, one to a file.

    Keys that only we know are left out, a rule without an id gets one made of its name. `ours`: the
    rules are those of the package and under its licence; others keep what they say of theirs.
    """
    files = list(files)
    places = Places(file.document for file in files)
    for row in rows(files, ruleset):
        part = places.of(row.path, row.id)
        if part is None or row.kind == "convergence":
            yield Exported(row.id, "", None, "a convergence, which Sigma has no word for")
        else:
            yield Exported(row.id, f"{row.kind}s/{_file(row)}.yml", _text(row, part, ours=ours))


def _file(row: Row) -> str:
    """A file name: the id, without what could lead out of the folder."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in row.id)


def _text(row: Row, part: Part, *, ours: bool) -> str:
    data = {key: value for key, value in part.data.items() if key != _OURS}
    data.setdefault("id", str(uuid5(_NAMES, row.id)))
    if row.id != data["id"]:
        data.setdefault("name", row.id)  # others refer to it so
    if isinstance(data.get("description"), str):
        data["description"] = data["description"].strip()
    if ours:
        data["license"] = LICENSE
    ordered = {key: data[key] for key in (*_ORDER, *data) if key in data}
    return (_HEADER if ours else "") + yaml.dump(
        ordered, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
    )


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

"""A strict validator over the source of the OCSF schema, which is not ours to ship.

It resolves `extends` and `$include` and refuses what schema.ocsf.io refuses, and what it only warns
of: unknown and deprecated attributes, wrong types, values that no enumeration has, captions that
are not those of their value, broken constraints, attributes of a profile that was not named, and
attributes that only came with 1.9.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# CHANGELOG of 1.9.0, for the objects that an alert is made of; the sources at hand are behind 1.8.
SINCE_1_9 = frozenset(
    (
        "ai_agent",
        "attestation_list",
        "charter",
        "criticality_id",
        "encoding",
        "encoding_id",
        "hosted_ai_agent_list",
        "notes",
        "sensor_info_list",
        "serialization",
        "serialization_id",
        "uid_numeric",
    )
)
BITS = {"integer_t": 32, "long_t": 64, "timestamp_t": 64, "port_t": 16}


class Schema:
    """The classes and objects of a checkout, resolved."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        dictionary = json.loads((folder / "dictionary.json").read_bytes())
        self._dictionary = dictionary["attributes"]
        self._types = dictionary["types"]["attributes"]
        self._objects = _read(folder / "objects")
        self._events = _read(folder / "events")
        self._observables = self._observed()
        self._resolved: dict[tuple[str, bool], dict[str, Any]] = {}

    def problems(self, event: dict[str, Any]) -> list[str]:
        """What is wrong with an event, a sentence each."""
        category, number = divmod(event["class_uid"], 1000)
        name = next(
            (
                name
                for name, one in self._events.items()
                if one.get("uid") == number and self._category(name) == category
            ),
            None,
        )
        if name is None:
            return [f"there is no class {event['class_uid']}"]
        profiles = {None, *event["metadata"].get("profiles", ())}
        found = list(self._object(self._whole(name, event=True), event, name, profiles))
        if event["type_uid"] != 100 * event["class_uid"] + event["activity_id"]:
            found.append("type_uid is not that of class and activity")
        if event["category_uid"] != category:
            found.append("category_uid is not that of the class")
        return found

    def _observed(self) -> dict[str, dict[str, str]]:
        """What an observable may be is said where the things that it can be are."""
        told = [*self._dictionary.values(), *self._types.values(), *self._objects.values()]
        for one in self._objects.values():
            told += [value for value in one["attributes"].values() if isinstance(value, dict)]
        found = {
            str(one["observable"]): {"caption": one["caption"]}
            for one in told
            if "observable" in one and "caption" in one
        }
        return {"0": {"caption": "Unknown"}, "99": {"caption": "Other"}} | found

    def _category(self, name: str) -> int:
        categories = json.loads((self._folder / "categories.json").read_bytes())["attributes"]
        event = self._events[name]
        while "category" not in event and "extends" in event:
            event = self._events[event["extends"]]
        return int(categories.get(event.get("category", ""), {"uid": 0})["uid"])

    def _whole(self, name: str, *, event: bool) -> dict[str, Any]:
        if (name, event) not in self._resolved:
            own = (self._events if event else self._objects)[name]
            parent = self._whole(own["extends"], event=event) if "extends" in own else {}
            attributes = {k: dict(v) for k, v in parent.get("attributes", {}).items()}
            for include in own["attributes"].get("$include", ()):
                profile = json.loads((self._folder / include).read_bytes())
                for key, value in profile["attributes"].items():
                    more = {"profile": profile["name"]} | value
                    attributes[key] = attributes.get(key, {}) | more
            for key, value in own["attributes"].items():
                if key != "$include":
                    before = attributes.get(key, {})
                    both = before | value
                    if "enum" in before and "enum" in value:
                        both["enum"] = before["enum"] | value["enum"]
                    attributes[key] = both
            constraints = own.get("constraints", parent.get("constraints", {}))
            self._resolved[name, event] = {"attributes": attributes, "constraints": constraints}
        return self._resolved[name, event]

    def _object(
        self,
        whole: dict[str, Any],
        value: Any,  # noqa: ANN401 - JSON
        where: str,
        profiles: set[Any],
    ) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where} is no object"
            return
        attributes = {
            name: one
            for name, one in whole["attributes"].items()
            if one.get("profile") in profiles and name not in SINCE_1_9
        }
        for name, one in attributes.items():
            if one.get("requirement") == "required" and value.get(name) in (None, "", [], {}):
                yield f"{where} has no {name}"
        for rule, names in whole["constraints"].items():
            some = sum(name in value for name in names)
            if some == 0 or (rule == "just_one" and some > 1):
                yield f"{where} has {some} of {', '.join(names)}"
        for name in value:
            if name in attributes:
                said = self._said(name, attributes[name], where)
                yield from self._attribute(said, value[name], f"{where}.{name}", profiles)
                yield from _caption(said, name, value, where)
            else:
                yield f"{where} knows no {name}"

    def _said(self, name: str, own: dict[str, Any], where: str) -> dict[str, Any]:
        """An attribute as the dictionary has it, and as it is said here."""
        general = self._dictionary[name]
        said: dict[str, Any] = general | own
        if "enum" in general and "enum" in own:
            said["enum"] = general["enum"] | own["enum"]
        if name in ("class_uid", "category_uid", "type_uid"):
            said.pop("enum", None)  # their compiler fills them; `problems` compares the numbers
        if where.endswith(".observables") and name == "type_id":
            said["enum"] = self._observables
        return said

    def _attribute(
        self,
        said: dict[str, Any],
        value: Any,  # noqa: ANN401 - JSON
        where: str,
        profiles: set[Any],
    ) -> Iterator[str]:
        if "@deprecated" in said:
            yield f"{where} is deprecated"
        many = [value]
        if said.get("is_array"):
            if not isinstance(value, list):
                yield f"{where} is no array"
                return
            many = value
        for one in many:
            if said["type"].endswith("_t"):
                yield from self._scalar(said["type"], one, where)
            elif said["type"] == "object":
                if not isinstance(one, dict):
                    yield f"{where} is no object"
            else:
                yield from self._object(
                    self._whole(said["type"], event=False), one, where, profiles
                )
            if "enum" in said and str(one) not in said["enum"]:
                yield f"{where} is {one!r}, which is not of its enumeration"

    def _scalar(self, type_: str, value: Any, where: str) -> Iterator[str]:  # noqa: ANN401 - JSON
        if type_ == "json_t":
            return
        stated = self._types[type_]
        if type_ in BITS:
            most = 2 ** (BITS[type_] - 1)
            if type(value) is not int or not -most <= value < most:
                yield f"{where} is {value!r} and no {type_}"
        elif type_ in ("boolean_t", "float_t"):
            if type(value) is not {"boolean_t": bool, "float_t": float}[type_]:
                yield f"{where} is {value!r} and no {type_}"
        elif not isinstance(value, str) or len(value) > stated.get("max_len", 65535):
            yield f"{where} is {value!r:.80} and no {type_}"
        elif "regex" in stated and re.search(stated["regex"], value) is None:
            yield f"{where} is {value!r:.80} and does not look like a {type_}"


def _caption(said: dict[str, Any], name: str, value: dict[str, Any], where: str) -> Iterator[str]:
    """`severity` is the caption of `severity_id`; of 99 it is the source's own word."""
    sibling, one = said.get("sibling"), value[name]
    if sibling in value and one != 99 and str(one) in said.get("enum", {}):
        caption = said["enum"][str(one)]["caption"]
        if value[sibling] != caption:
            yield f"{where}.{sibling} is not {caption!r}, as {name} says"


def _read(folder: Path) -> dict[str, dict[str, Any]]:
    found = (json.loads(path.read_bytes()) for path in sorted(folder.rglob("*.json")))
    return {one["name"]: one for one in found}

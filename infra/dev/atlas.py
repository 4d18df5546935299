"""Rebuilds schemas/atlas.json from ATLAS.yaml: python -m infra.dev.atlas ATLAS.yaml > FILE.

MITRE publishes ATLAS.yaml under the Apache License 2.0 (mitre-atlas/atlas-data, folder dist).
Only ids, names, tactics and the order of steps in case studies are taken: no descriptions.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import yaml


def extract(atlas: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the engine needs of ATLAS: tactics in their order, all else sorted by id.

    A sub-technique has the tactics of its parent.
    """
    (matrix,) = atlas["matrices"]
    found = {technique["id"]: technique for technique in matrix["techniques"]}
    return {
        "version": atlas["version"],
        "tactics": {tactic["id"]: tactic["name"] for tactic in matrix["tactics"]},
        "techniques": {
            id_: {
                "name": technique["name"],
                "tactics": found[technique.get("subtechnique-of", id_)]["tactics"],
            }
            for id_, technique in sorted(found.items())
        },
        "mitigations": dict(sorted((m["id"], m["name"]) for m in matrix["mitigations"])),
        "sequences": {
            case["id"]: [step["technique"] for step in case["procedure"]]
            for case in sorted(atlas["case-studies"], key=lambda case: str(case["id"]))
        },
    }


def text(extract: Mapping[str, Any]) -> str:
    """Return the JSON text, one entry a line, so that a new version shows what it changed."""
    return "{\n" + ",\n".join(f'  "{name}": {_value(v)}' for name, v in extract.items()) + "\n}\n"


def _value(value: object) -> str:
    if not isinstance(value, dict):
        return json.dumps(value)
    entries = cast("dict[str, object]", value)
    return "{\n" + ",\n".join(f'    "{i}": {json.dumps(e)}' for i, e in entries.items()) + "\n  }"


def main(arguments: Sequence[str]) -> None:
    """Write the JSON of the ATLAS.yaml that is named as the only argument to stdout."""
    parser = argparse.ArgumentParser(prog="python -m infra.dev.atlas")
    parser.add_argument("yaml", type=Path, help="ATLAS.yaml of mitre-atlas/atlas-data")
    atlas = yaml.load(parser.parse_args(arguments).yaml.read_bytes(), Loader=yaml.CSafeLoader)
    sys.stdout.write(text(extract(atlas)))


if __name__ == "__main__":
    main(sys.argv[1:])

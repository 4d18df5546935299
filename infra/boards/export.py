"""Export: the same boards as files that Grafana reads from its disk when it starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple

import orjson
import yaml

from infra.boards.alarms import FOLDER, groups
from infra.boards.data_sources import SECRET, chosen, data_sources, secrets
from infra.boards.found import boards
from infra.boards.parts.source import Json
from schemas.grafana import GrafanaConfig

# Grafana looks here for `provisioning/`, and the provider of dashboards names the other folder.
HOME: Final = PurePosixPath("/etc/grafana")
TOKEN: Final = "$__env{BAROGRAPH_API_TOKEN}"  # noqa: S105 - the name of a variable
_HEAD: Final = "# Written by `barograph boards export`; a change here is lost at the next export.\n"


class File(NamedTuple):
    """`path` is below the folder that is exported to."""

    path: str
    text: str


def exported(config: GrafanaConfig, home: PurePosixPath = HOME) -> Iterator[File]:
    """Every file. `home`: where the folder will lie on Grafana's machine. No secret is in them."""
    uids = chosen(config)
    for board in boards():
        text = orjson.dumps(board.json(uids), option=orjson.OPT_INDENT_2).decode()
        yield File(f"dashboards/{board.uid}.json", f"{text}\n")
    yield _yaml(
        "dashboards",
        {
            "providers": [
                {
                    "name": "barograph",
                    "folder": config.folder,
                    "folderUid": FOLDER,
                    "type": "file",
                    "allowUiUpdates": False,
                    "updateIntervalSeconds": 60,
                    "options": {"path": str(home / "dashboards")},
                }
            ]
        },
    )
    sources = [_source(config, source) for source in data_sources(config)]
    if sources:
        yield _yaml("datasources", {"datasources": sources})
    if config.prometheus or config.prometheus_uid:
        rules = [_group(group, config.folder) for group in groups(uids["prometheus"])]
        yield _yaml("alerting", {"groups": rules})


def _source(config: GrafanaConfig, source: Json) -> Json:
    hidden = {SECRET: TOKEN} if secrets(config, source) else {}
    return source | {"editable": False} | ({"secureJsonData": hidden} if hidden else {})


def _group(group: Json, folder: str) -> Json:
    rules = [
        {key: value for key, value in rule.items() if key not in {"folderUID", "ruleGroup"}}
        for rule in group["rules"]
    ]
    return {
        "orgId": 1,
        "name": group["title"],
        "folder": folder,
        "interval": f"{group['interval']}s",
        "rules": [_escaped(rule) for rule in rules],
    }


def _escaped(rule: Json) -> Json:
    """Grafana takes `$` in these files for the start of a variable; templates of texts have it."""
    texts = {key: text.replace("$", "$$") for key, text in rule["annotations"].items()}
    data = [step | {"model": _doubled(step["model"])} for step in rule["data"]]
    return rule | {"annotations": texts, "data": data}


def _doubled(model: dict[str, Any]) -> Json:
    return {
        key: value.replace("$", "$$") if isinstance(value, str) else value
        for key, value in model.items()
    }


def _yaml(name: str, body: Json) -> File:
    text = yaml.safe_dump({"apiVersion": 1} | body, sort_keys=False, allow_unicode=True, width=120)
    return File(f"provisioning/{name}/barograph.yaml", f"{_HEAD}{text}")

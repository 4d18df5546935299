"""The boards in Grafana's own types: @grafana/schema, by the compiler of TypeScript."""

from __future__ import annotations

import json
import shutil
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from infra.boards.found import boards
from infra.dev.grafana import SCHEMA
from tests.conftest import absent

Json = dict[str, Any]
CHECK = Path(__file__).with_name("check.mjs")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    if shutil.which("node") is None:
        absent("node is not here: apt-get install nodejs npm, then python -m infra.dev.grafana")
    if not (SCHEMA / "node_modules").is_dir():
        absent("Grafana's schema is not here: python -m infra.dev.grafana gets it, with npm")
    (tmp_path / "node_modules").symlink_to(SCHEMA / "node_modules")
    return tmp_path


def checked(folder: Path, *dashboards: Json) -> list[str]:
    """What the compiler says, one line for each fault."""
    files: list[str] = []
    for board in deepcopy(dashboards):
        for one in board["annotations"]["list"]:
            # Typed as a query of any plugin; what that of Grafana itself takes is not exported.
            one["target"] = {"refId": "A"}
        file = folder / f"{len(files)}.json"
        file.write_text(json.dumps(board))
        files.append(file.name)
    words = ("node", str(CHECK), *files)
    ran = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode in {0, 1, 2}, ran.stderr
    return [line for line in ran.stdout.splitlines() if "error TS" in line]


def test_every_board_is_one_for_grafana(folder: Path) -> None:
    assert checked(folder, *(board.json() for board in boards())) == []


def test_the_check_notices(folder: Path) -> None:
    board = boards()[0].json()
    wrong = [deepcopy(board) for _ in range(5)]
    wrong[0]["refrsh"] = "1m"
    wrong[1]["panels"][1]["options"]["orientation"] = "sideways"
    wrong[2]["panels"][1]["fieldConfig"]["defaults"]["thresholds"]["mode"] = "relative"
    wrong[3]["panels"][1]["gridPos"]["w"] = "12"
    wrong[4]["panels"][1]["type"] = "nogauge"
    assert [len(checked(folder, one)) for one in wrong] == [1, 1, 1, 1, 1]

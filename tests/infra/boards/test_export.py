"""`barograph boards export`: files that Grafana reads from its disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.boards.alarms import groups
from infra.boards.found import boards
from infra.cli import main

CONFIG = """\
[grafana]
folder = "AI security"
prometheus_uid = "prom"
api = "https://barograph.example:9464/"
api_token = "example-api-token"
"""


@pytest.fixture
def exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "barograph.toml").write_text(CONFIG)
    assert main(["boards", "export", "--dir", "out", "--home", "/srv/grafana"]) == 0
    return tmp_path / "out"


def provisioning(folder: Path, kind: str) -> dict[str, Any]:
    text = (folder / "provisioning" / kind / "barograph.yaml").read_text("utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    assert document.pop("apiVersion") == 1
    return document


def test_a_dashboard_is_a_file_under_its_uid(exported: Path) -> None:
    files = {path.stem: path for path in (exported / "dashboards").iterdir()}
    assert sorted(files) == [board.uid for board in boards()]
    for board in boards():
        written = json.loads(files[board.uid].read_text("utf-8"))
        assert written == board.json({"prometheus": "prom", "api": "barograph-api"})
        assert "id" not in written  # Grafana would take it for one of its own


def test_the_provider_looks_where_the_files_will_lie(exported: Path) -> None:
    (provider,) = provisioning(exported, "dashboards")["providers"]
    assert provider["options"] == {"path": "/srv/grafana/dashboards"}
    assert (provider["folder"], provider["folderUid"]) == ("AI security", "barograph")


def test_data_sources_name_their_secret_and_do_not_hold_it(exported: Path) -> None:
    assert provisioning(exported, "datasources") == {
        "datasources": [
            {
                "uid": "barograph-api",
                "name": "Barograph API",
                "type": "yesoreyeram-infinity-datasource",
                "access": "proxy",
                "url": "https://barograph.example:9464",
                "jsonData": {
                    "allowedHosts": ["https://barograph.example:9464"],
                    "auth_method": "bearerToken",
                    "timeoutInSeconds": 30,
                },
                "editable": False,
                "secureJsonData": {"bearerToken": "$__env{BAROGRAPH_API_TOKEN}"},
            }
        ]
    }
    assert all(
        "example-api-token" not in path.read_text("utf-8")
        for path in exported.rglob("*")
        if path.is_file()
    )


def test_alert_rules_are_those_that_are_pushed(exported: Path) -> None:
    written = provisioning(exported, "alerting")["groups"]
    pushed = list(groups("prom"))
    assert [group["name"] for group in written] == [group["title"] for group in pushed]
    assert {group["folder"] for group in written} == {"AI security"}
    for group, other in zip(written, pushed, strict=True):
        for rule, of in zip(group["rules"], other["rules"], strict=True):
            assert rule["uid"] == of["uid"]
            # Grafana fills $NAME in these files from its environment; $$ is a dollar.
            model = rule["data"][1]["model"]["expression"]
            assert model == "is_number($$series) || is_nan($$series) || is_inf($$series)"
            texts = {key: text.replace("$$", "$") for key, text in rule["annotations"].items()}
            assert texts == of["annotations"]


def test_twice_is_the_same_to_the_byte(exported: Path) -> None:
    before = {path: path.read_bytes() for path in exported.rglob("*") if path.is_file()}
    assert main(["boards", "export", "--dir", "out", "--home", "/srv/grafana"]) == 0
    assert before == {path: path.read_bytes() for path in exported.rglob("*") if path.is_file()}


def test_a_folder_that_cannot_be_written_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["boards", "export", "--dir", str(tmp_path / "file")]) == 3
    assert capsys.readouterr().err == (
        f"barograph: {tmp_path / 'file'} cannot be written: Not a directory\n"
    )

"""`barograph topics`: made, compared and granted from the configuration alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.cli import main

Capture = pytest.CaptureFixture[str]


@pytest.mark.kafka
def test_create_and_check(kafka: str, prefix: str, capsys: Capture) -> None:
    assert main(["topics", "check", "--config", kafka]) == 1
    out, err = capsys.readouterr()
    assert f"{prefix}signals: is missing; barograph topics create\n" in out
    assert err == "19 topics, 19 differences, 0 hints\n"

    assert main(["topics", "create", "--config", kafka, "--raw", "otel", "--dry-run"]) == 0
    out, err = capsys.readouterr()
    assert f"{prefix}raw.otel: would be made, 2 partitions\n" in out
    assert err == "20 would be made, 0 there\n"

    assert main(["topics", "create", "--config", kafka, "--raw", "otel"]) == 0
    out, err = capsys.readouterr()
    assert f"{prefix}inventory: made, 1 partition\n" in out
    assert err == "20 made, 0 there\n"

    assert main(["topics", "create", "--config", kafka, "--json"]) == 0
    out, err = capsys.readouterr()
    topics = {one["name"]: one for one in map(json.loads, out.splitlines())}
    assert topics[f"{prefix}signals"] == {
        "name": f"{prefix}signals",
        "partitions": 2,
        "settings": {
            "cleanup.policy": "delete",
            "retention.ms": "604800000",
            "max.message.bytes": "8388608",
        },
        "made": False,
        "there": True,
    }
    assert err == "0 made, 19 there\n"

    assert main(["topics", "check", "--config", kafka, "--json"]) == 0
    out, err = capsys.readouterr()
    (hint,) = map(json.loads, out.splitlines())
    assert (hint["topic"], hint["hint"]) == (f"{prefix}habits", True)
    assert err == "19 topics, 0 differences, 1 hints\n"


@pytest.mark.kafka
def test_an_input_of_its_own_name_must_be_there(kafka: str, prefix: str, capsys: Capture) -> None:
    with Path(kafka).open("a") as file:
        file.write(f'[[input]]\nname = "x"\nkind = "kafka"\ntopic = "{prefix}x"\nsource = "otel"\n')
    assert main(["topics", "check", "--config", kafka]) == 1
    assert f"{prefix}x: is missing" in capsys.readouterr().out


def test_rights_ask_no_broker(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "x.toml"
    path.write_text('[kafka]\nbootstrap = "b:9092"\n')
    words = ["topics", "rights", "app", "--role", "producer", "--raw", "otel"]
    assert main([*words, "--config", str(path)]) == 0
    assert capsys.readouterr().out == (
        "kafka-acls.sh --bootstrap-server b:9092 --add --allow-principal User:app "
        "--operation WRITE --topic barograph.raw.otel\n"
    )


@pytest.mark.parametrize("action", ["create", "check"])
def test_no_broker_is_there(action: str, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "x.toml"
    path.write_text('[kafka]\nbootstrap = "127.0.0.1:1"\n')
    assert main(["topics", action, "--config", str(path)]) == 3
    assert "the Kafka broker at 127.0.0.1:1 is not to be reached" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["topics", "create"],
        ["topics", "rights", "app"],
        ["tail", "alerts"],
        ["produce", "x", "--topic", "raw.otel"],
        ["dead-letters", "replay"],
    ],
)
def test_without_a_section_one_is_shown(words: list[str], tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "x.toml"
    path.write_text("")
    assert main([*words, "--config", str(path)]) == 2
    assert capsys.readouterr().err == (
        f"barograph: {path} has no section [kafka]: add the lines "
        '[kafka] and bootstrap = "localhost:9092", or set BAROGRAPH_KAFKA__BOOTSTRAP\n'
    )


def test_a_raw_topic_is_that_of_a_source(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "x.toml"
    path.write_text('[kafka]\nbootstrap = "b:9092"\n')
    assert main(["topics", "create", "--raw", "cloudtrial", "--config", str(path)]) == 2
    assert "no source is called 'cloudtrial'" in capsys.readouterr().err

"""`barograph replay`: its options, its summary, and what it says to a wrong line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.cli import main
from tests.streams.trail import call

RULE = """\
title: deleted
name: deleted
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: DeleteBucket}, condition: s}
"""

Replayed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Replayed:
    """Run the command in a folder with `in.ndjson` and `rules/`; exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    Path("in.ndjson").write_bytes(b"\n".join([call(0), b"<html>", call(60, "DeleteBucket")]))
    Path("rules").mkdir()
    Path("rules/deleted.yml").write_text(RULE)

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["replay", *words])
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


def test_the_summary_is_a_line_a_figure(replayed: Replayed) -> None:
    code, out, err = replayed("in.ndjson", "--rules", "rules")
    assert (code, err) == (0, "")
    figures = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert {name: figures[name] for name in ("read", "parsed", "rejected", "late", "signals")} == {
        "read": "3",
        "parsed": "2",
        "rejected": "1",
        "late": "0",
        "signals": "1",
    }
    assert (figures["findings"], figures["until"]) == ("none", "2026-03-02T12:01:00.000000Z")
    assert json.loads(Path("out/signals.jsonl").read_text())["detection"] == "deleted"


def test_a_program_reads_it_as_json(replayed: Replayed) -> None:
    code, out, _ = replayed("in.ndjson", "--json", "--out", "there")
    assert code == 0
    assert json.loads(out) == json.loads(Path("there/summary.json").read_text())


def test_rules_stand_beside_the_built_in_ones_or_alone(replayed: Replayed) -> None:
    Path("in.ndjson").write_bytes(
        call(0, "GetFoundationModelAvailability", eventSource="bedrock.amazonaws.com")
        + b"\n"
        + call(1, "DeleteBucket")
    )
    for words, detections in (
        ((), {"bedrock_model_recon"}),
        (("--rules", "rules"), {"bedrock_model_recon", "deleted"}),
        (("--rules", "rules", "--no-builtin"), {"deleted"}),
        (("--no-builtin",), set[str]()),
    ):
        assert replayed("in.ndjson", *words)[0] == 0
        lines = Path("out/signals.jsonl").read_text().splitlines()
        assert {json.loads(line)["detection"] for line in lines} == detections
    assert replayed("--rules", "rules/deleted.yml", "--rules", "rules", "in.ndjson")[0] == 0


def test_the_configuration_counts(replayed: Replayed) -> None:
    Path("barograph.toml").write_text('[rules]\npaths = ["rules"]\nbuiltin = false')
    assert replayed("in.ndjson")[0] == 0
    assert json.loads(Path("out/signals.jsonl").read_text())["detection"] == "deleted"


def test_a_format_may_be_named(replayed: Replayed) -> None:
    Path("odd.log").write_bytes(b'{"eventTime":"2026-03-02T12:00:00Z","eventName":"x"}')
    _, out, _ = replayed("odd.log", "--json")
    assert json.loads(out)["rejected"] == 1
    _, out, _ = replayed("odd.log", "--json", "--source", "cloudtrail")
    assert json.loads(out)["rejected"] == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("none",), "none is not there; name a file or a folder"),
        (
            ("rules",),
            "rules holds no file named .json, .jsonl, .ndjson, .sarif, .csv",
        ),
        (("in.ndjson", "--rules", "none"), "cannot read none: No such file or directory"),
        (("in.ndjson", "--source", "nobody"), "no source is called 'nobody'; there are"),
        (
            ("in.ndjson", "--shuffle", "901"),
            "--shuffle 901 is more than the lateness of cloudtrail",
        ),
        (("in.ndjson", "--shuffle", "-1"), "argument --shuffle: '-1' is no number of seconds"),
        (("in.ndjson", "--until", "2026-03-01T00:00:00Z"), "--until 2026-03-01T00:00:00.000000Z"),
        (("in.ndjson", "--until", "x"), "argument --until: not an RFC 3339 time: 'x'; give one"),
        (("in.ndjson", "--config", "none.toml"), "none.toml cannot be read: No such file"),
        ((), "the following arguments are required: INPUT; see barograph replay --help"),
    ],
)
def test_a_wrong_line_is_one_sentence(
    replayed: Replayed, words: tuple[str, ...], sentence: str
) -> None:
    code, out, err = replayed(*words)
    assert (code, out) == (2, "")
    assert err.startswith(f"barograph: {sentence}")
    assert err.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_one_sentence(replayed: Replayed) -> None:
    code, _, err = replayed("in.ndjson", "--out", "in.ndjson")
    assert code == 3
    assert err == (
        "barograph: in.ndjson cannot be written: File exists;"
        " make room, or give another with --out\n"
    )


def test_a_full_disk_is_one_sentence(replayed: Replayed) -> None:
    assert replayed("in.ndjson")[0] == 0  # what is there is not this run's
    Path("many.ndjson").write_bytes(b"\n".join(call(n, "DeleteBucket") for n in range(2000)))
    replay = (sys.executable, "-m", "infra", "replay", "many.ndjson", "--rules", "rules")
    # A file may have 200 blocks of 512 or 1024 bytes.
    bounded = ("bash", "-c", 'ulimit -f 200 && exec "$@"', "-", *replay)
    done = subprocess.run(bounded, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "barograph: cannot write to out: File too large\n"

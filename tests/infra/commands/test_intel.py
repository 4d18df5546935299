"""`barograph intel check`, and `--intel` from a bill of materials to what is closed again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from infra.cli import main

RULE = """\
info: {name: vllm, cve: CVE-2026-0001, summary: a leak, severity: CRITICAL}
rule: version >= "0.5" && version < "0.9.2"
"""
BAD = """\
info: {name: dify}
rule: version = "1.0"
"""

Told = Callable[..., tuple[int, str, str]]


@pytest.fixture
def told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Told:
    """Run a command in a folder with `feed/`; exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    Path("feed").mkdir()
    Path("feed/vllm.yaml").write_text(RULE)
    Path("feed/dify.yaml").write_text(BAD)

    def run(*words: str) -> tuple[int, str, str]:
        code = main(list(words))
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


def bom(day: int, *components: tuple[str, str]) -> None:
    parts = [
        {"type": "library", "name": name, "version": version, "purl": f"pkg:pypi/{name}@{version}"}
        for name, version in components
    ]
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": day,
        "metadata": {
            "timestamp": f"2026-03-0{day}T12:00:00Z",
            "component": {"type": "application", "name": "Tide"},
        },
        "components": parts,
    }
    Path("boms").mkdir(exist_ok=True)
    Path(f"boms/{day}.json").write_text(json.dumps(document))


def facts() -> list[tuple[str | None, ...]]:
    with duckdb.connect("out/barograph.duckdb", read_only=True) as db:
        return db.execute(
            "SELECT entity, title, state, CAST(since AS DATE)::TEXT, CAST(until AS DATE)::TEXT"
            " FROM facts WHERE name = 'finding' ORDER BY title"
        ).fetchall()


def test_found_in_one_document_and_gone_in_the_next(told: Told) -> None:
    bom(1, ("vllm", "0.8.5"), ("dify", "1.0"))
    bom(2, ("vllm", "0.9.1"), ("numpy", "2.0.0"))
    words = ("replay", "boms", "--intel", "feed", "--until", "2026-03-05T00:00:00Z", "--json")
    code, _, err = told(*words)
    assert code == 0
    assert "1 advisory of 1 component, 1 left out\n" in err
    assert "feed/dify.yaml:2: `rule`: `=` is no comparison; is it `==`?" in err
    title = "CVE-2026-0001 in vllm 0.8.5"
    assert facts() == [("application:Tide", title, "open", "2026-03-01", None)]
    bom(3, ("vllm", "0.9.2"))
    assert told(*words)[0] == 0
    assert facts() == [("application:Tide", title, "resolved", "2026-03-01", "2026-03-03")]


def test_a_component_that_leaves_is_closed(told: Told) -> None:
    bom(1, ("vllm", "0.8.5"))
    bom(2)
    Path("barograph.toml").write_text('[intel]\nfeeds = ["feed/vllm.yaml"]\n')
    assert told("replay", "boms")[0] == 0
    assert [fact[2:] for fact in facts()] == [("resolved", "2026-03-01", "2026-03-02")]


def test_what_a_feed_holds(told: Told) -> None:
    code, out, _ = told("intel", "check", "feed")
    assert code == 0
    assert out.splitlines()[:3] == [
        "LEFT OUT: 1",
        "  feed/dify.yaml:2: `rule`: `=` is no comparison; is it `==`?",
        "products by name: 1",
    ]
    assert told("intel", "check", "feed", "--strict")[0] == 1
    code, out, _ = told("intel", "check", "feed", "--json")
    left, about = map(json.loads, out.splitlines())
    assert (left["path"], left["line"]) == ("feed/dify.yaml", 2)
    assert (about["files"], about["advisories"], about["components"]) == (2, 1, 1)


def test_what_a_component_has(told: Told) -> None:
    asked = ("intel", "check", "feed", "--component")
    _, out, _ = told(*asked, "pypi/vllm@0.8.5", "--json")
    assert json.loads(out) == {
        "id": "CVE-2026-0001",
        "severity": "critical",
        "fixed": "0.9.2",
        "title": "a leak",
    }
    assert told(*asked, "vllm@0.9.2") == (0, "", "")
    code, _, err = told(*asked, "vllm")
    assert (code, "'vllm' is no component to look for" in err) == (2, True)


@pytest.mark.parametrize("words", [("nowhere",), (), ("empty",)])
def test_no_feed(told: Told, words: tuple[str, ...]) -> None:
    Path("empty").mkdir()
    code, _, err = told("intel", "check", *words)
    assert (code, err.count("\n")) == (2, 1)


def test_another_feed_is_another_version_of_the_rules(told: Told) -> None:
    one = json.loads(told("intel", "check", "feed", "--json")[1].splitlines()[-1])["sha256"]
    Path("feed/dify.yaml").unlink()
    other = json.loads(told("intel", "check", "feed", "--json")[1])["sha256"]
    assert one != other

"""gate: exit codes, baselines, waivers and reports, over reports of a scanner as it writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from infra.cli import main
from tests.infra.authoring.test_sarif import valid

Out = pytest.CaptureFixture[str]

POLICY = """
id: ours
title: What we hold to
checks:
  - id: grave
    title: No weakness of high severity
    weaknesses: {severity: high}
  - id: known_images
    title: Only images of our own registry
    allow: {of: [image], only: ["image:hub.example/*"]}
"""
DAY = "2026-03-04T00:00:00Z"  # of the reports
WAIVERS = """
waivers:
  - check: grave
    on: ["image:hub.example/shop"]
    about: [CVE-2099-0001]
    reason: not called
    until: 2026-03-31
"""


def trivy(
    path: Path, digest: str, *found: tuple[str, str], image: str = "hub.example/shop"
) -> Path:
    """A report over one build of an image."""
    report = {
        "SchemaVersion": 2,
        "CreatedAt": "2026-03-04T02:00:00Z",
        "ArtifactName": f"{image}:1",
        "ArtifactType": "container_image",
        "Metadata": {"RepoDigests": [f"{image}@sha256:{digest * 64}"]},
        "Results": [
            {
                "Target": f"{image}:1 (debian 12.9)",
                "Class": "os-pkgs",
                "Type": "debian",
                "Vulnerabilities": [
                    {
                        "VulnerabilityID": id_,
                        "PkgName": "zlib",
                        "InstalledVersion": "1.0",
                        "FixedVersion": "1.1",
                        "Severity": severity,
                        "Title": f"A weakness ]]> \x1b[31m of zlib, {id_}",
                    }
                    for id_, severity in found
                ],
            }
        ],
    }
    path.write_text(json.dumps(report), "utf-8")
    return path


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with the policy and two reports of one build."""
    monkeypatch.chdir(tmp_path)
    Path("ours.yml").write_text(POLICY, "utf-8")
    Path("reports").mkdir()
    trivy(Path("reports/shop.json"), "a", ("CVE-2099-0001", "CRITICAL"), ("CVE-2099-0002", "HIGH"))
    trivy(Path("reports/bot.json"), "b", ("CVE-2099-0003", "LOW"), image="hub.example/bot")
    return tmp_path


def gate(capsys: Out, *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    at = () if "--at" in words else ("--at", DAY)
    code = main(["gate", *at, "--policy", "ours.yml", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def told(capsys: Out, *words: str) -> tuple[int, dict[str, Any]]:
    code, out, _ = gate(capsys, "--json", *words)
    (policy,) = json.loads(out)["policies"]
    return code, policy


def names(violations: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(one["name"], one["about"], one["severity"]) for one in violations]


def test_a_gate_that_fails_says_what_stands_against_it(capsys: Out) -> None:
    code, out, err = gate(capsys, "reports")
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "ours: What we hold to",
        "  pass  readable      The inputs can be read",
        "  FAIL  grave         No weakness of high severity",
        *(
            f"          {severity:<13}  image:hub.example/shop: {id_}: A weakness ]]> \\x1b[31m"
            f" of zlib, {id_} (in zlib; fixed in 1.1) [file:reports/shop.json#{number}]"
            for severity, id_, number in (
                ("critical", "CVE-2099-0001", 1),
                ("high", "CVE-2099-0002", 2),
            )
        ),
        "  pass  known_images  Only images of our own registry",
        "FAILED: 1 of 3 checks, 2 violations",
    ]


def test_policies_may_stand_before_the_inputs(capsys: Out) -> None:
    assert gate(capsys, "merge", "reports")[1].splitlines()[-1] == (
        "FAILED: 2 of 8 checks, 4 violations"
    )
    assert main(["gate", "--at", DAY, "reports/bot.json", "--policy", "ours.yml"]) == 0


def test_only_what_is_new_fails_behind_a_baseline(capsys: Out) -> None:
    code, _, err = gate(capsys, "--write-baseline", "known.json", "reports")
    assert (code, err) == (0, "barograph: 2 known violations in known.json\n")
    code, out, _ = gate(capsys, "--baseline", "known.json", "reports")
    assert (code, out.splitlines()[-1]) == (0, "passed: 3 checks (2 known)")
    # The next build of the same image: one weakness is mended, another has come.
    trivy(Path("reports/shop.json"), "c", ("CVE-2099-0002", "HIGH"), ("CVE-2099-0009", "HIGH"))
    words = ("--baseline", "known.json", "--write-baseline", "known.json", "reports")
    code, policy = told(capsys, *words)
    grave = policy["checks"][1]
    assert code == 1
    assert names(grave["violations"]) == [("image:hub.example/shop", "CVE-2099-0009", "high")]
    assert names(grave["known"]) == [("image:hub.example/shop", "CVE-2099-0002", "high")]
    assert len(policy["mended"]) == 1
    assert len(json.loads(Path("known.json").read_text("utf-8"))["violations"]) == 1
    assert told(capsys, "--baseline", "known.json", "reports")[1]["mended"] == []


def test_a_waiver_holds_until_its_day_has_passed(capsys: Out) -> None:
    Path("ours.yml").write_text(POLICY + WAIVERS, "utf-8")
    code, policy = told(capsys, "--at", "2026-03-31T23:59:59Z", "reports")
    grave = policy["checks"][1]
    assert code == 1
    assert names(grave["violations"]) == [("image:hub.example/shop", "CVE-2099-0002", "high")]
    assert [one["waiver"]["reason"] for one in grave["waived"]] == ["not called"]
    code, out, _ = gate(capsys, "--at", "2026-04-01T00:00:00Z", "reports")
    assert "the waiver of grave ended on 2026-03-31, and 1 violation with it: not called" in out
    assert (code, out.splitlines()[-1]) == (1, "FAILED: 1 of 3 checks, 2 violations")
    _, out, _ = gate(capsys, "--at", "2026-03-04T00:00:00Z", "reports/bot.json")
    assert "a waiver of grave is not needed: not called" in out


def code(path: str, *files: str) -> str:
    """A log of one rule that is broken in these files."""
    results = [
        {
            "ruleId": "sql-injection",
            "level": "error",
            "message": {"text": "A query is put together"},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": file}}}],
        }
        for file in files
    ]
    run = {
        "tool": {"driver": {"name": "semgrep"}},
        "invocations": [{"executionSuccessful": True, "endTimeUtc": "2026-03-04T02:00:00Z"}],
        "versionControlProvenance": [{"repositoryUri": "https://git.example/shop"}],
        "results": results,
    }
    Path(path).write_text(json.dumps({"version": "2.1.0", "runs": [run]}), "utf-8")
    return path


def test_a_check_that_fails_at_one_more_place_is_news(capsys: Out) -> None:
    gate(capsys, "--write-baseline", "known.json", code("code.sarif", "a.py"))
    assert gate(capsys, "--baseline", "known.json", code("code.sarif", "a.py"))[0] == 0
    words = ("--baseline", "known.json", code("code.sarif", "a.py", "b.py"))
    failed, policy = told(capsys, *words)
    grave = policy["checks"][1]
    assert (failed, len(grave["known"])) == (1, 1)
    assert [one["text"] for one in grave["violations"]] == [
        "A query is put together (at b.py)",
    ]


def test_policies_share_a_baseline(capsys: Out) -> None:
    Path("mine.yml").write_text(POLICY.replace("id: ours", "id: mine"), "utf-8")
    both = ("--policy", "mine.yml")
    gate(capsys, "--write-baseline", "known.json", "reports", *both)
    _, out, _ = gate(capsys, "--baseline", "known.json", "reports", *both)
    assert out.splitlines()[-1] == "passed: 6 checks (4 known)"
    assert "gone since" not in out
    before = Path("known.json").read_bytes()
    words = ("--baseline", "known.json", "--write-baseline", "known.json", "reports")
    assert gate(capsys, *words)[0] == 0  # of one of them alone
    assert Path("known.json").read_bytes() == before


def test_what_nobody_could_see_is_never_known(capsys: Out) -> None:
    whole = Path("reports/bot.json").read_bytes()
    Path("reports/bot.json").write_bytes(whole[: len(whole) // 2])
    code, _, err = gate(capsys, "--write-baseline", "known.json", "reports/bot.json")
    assert (code, err) == (0, "barograph: 0 known violations in known.json\n")
    assert gate(capsys, "--baseline", "known.json", "reports/bot.json")[0] == 1


def test_a_report_from_the_future_closes_nothing(capsys: Out) -> None:
    clean = trivy(Path("clean.json"), "a")
    later = clean.read_text("utf-8").replace("2026-03-04", "2026-03-06")
    clean.write_text(later, "utf-8")
    code, policy = told(capsys, "reports", "clean.json")
    readable, grave, _ = policy["checks"]
    assert code == 1
    assert names(readable["violations"]) == [("clean.json", "time-in-future", "high")]
    assert len(grave["violations"]) == 2
    assert told(capsys, "--at", "2026-03-06T00:00:00Z", "reports", "clean.json")[0] == 0


def test_patterns_that_name_nothing_are_told(capsys: Out) -> None:
    wrong = POLICY.replace("severity: high}", 'severity: high, on: ["image:hub.exmple/*"]}')
    Path("ours.yml").write_text(wrong, "utf-8")
    code, out, _ = gate(capsys, "reports")
    assert code == 0
    assert out.splitlines()[3] == "          nothing here is named image:hub.exmple/*"
    grave = told(capsys, "reports")[1]["checks"][1]
    assert grave["unmatched"] == ["image:hub.exmple/*"]


def test_statements_that_take_weaknesses_out_are_counted(capsys: Out) -> None:
    product = f"pkg:oci/shop@sha256%3A{'a' * 64}?repository_url=hub.example/shop"
    statement = {
        "vulnerability": {"name": "CVE-2099-0001"},
        "products": [{"@id": product}],
        "status": "not_affected",
        "justification": "component_not_present",
    }
    vex = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://vex.example/1",
        "author": "shop",
        "timestamp": "2026-03-04T03:00:00Z",
        "version": 1,
        "statements": [statement],
    }
    Path("vex.json").write_text(json.dumps(vex), "utf-8")
    code, out, _ = gate(capsys, "reports", "vex.json")
    assert (code, out.splitlines()[-1]) == (
        1,
        "FAILED: 1 of 3 checks, 1 violation (1 VEX statement)",
    )
    _, out, _ = gate(capsys, "--json", "reports", "vex.json")
    (said,) = json.loads(out)["vex"]
    assert said["about"] == "CVE-2099-0001"
    assert [one["origin"] for one in said["evidence"]] == ["file:vex.json#1"]


def test_code_hosts_are_told_in_sarif(capsys: Out) -> None:
    Path("ours.yml").write_text(POLICY + WAIVERS, "utf-8")
    words = ("--sarif", "gate.sarif", "--at", "2026-03-04T00:00:00Z", "reports")
    assert gate(capsys, *words)[0] == 1
    log = json.loads(Path("gate.sarif").read_text("utf-8"))
    new, waived = valid(log)
    assert new["ruleId"] == "ours/grave"
    assert new["level"] == "error"
    physical = new["locations"][0]["physicalLocation"]
    assert physical == {
        "artifactLocation": {"uri": "reports/shop.json"},
        "region": {"startLine": 1},
    }
    assert waived["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "not called (until 2026-03-31)",
        }
    ]
    prints = {one["partialFingerprints"]["barographGate/v1"] for one in (new, waived)}
    assert len(prints) == 2
    assert "baselineState" not in new
    assert gate(capsys, "--write-baseline", "known.json", "reports")[0] == 0
    assert gate(capsys, "--baseline", "known.json", *words)[0] == 0
    known, _ = valid(json.loads(Path("gate.sarif").read_text("utf-8")))
    assert known["baselineState"] == "unchanged"
    assert known["partialFingerprints"]["barographGate/v1"] in prints
    # Another barograph reads it as any report.
    assert main(["parse", "--source", "sarif", "--strict", "gate.sarif"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_build_servers_are_told_in_junit(capsys: Out) -> None:
    assert gate(capsys, "--junit", "gate.xml", "reports")[0] == 1
    root = ET.parse("gate.xml").getroot()  # noqa: S314 - written just now
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("3", "1", "0")
    cases = {case.get("name"): case.find("failure") for case in root.iter("testcase")}
    assert list(cases) == [
        "readable: The inputs can be read",
        "grave: No weakness of high severity",
        "known_images: Only images of our own registry",
    ]
    failure = cases["grave: No weakness of high severity"]
    assert failure is not None
    assert failure.get("message") == "2 violations"
    assert (failure.text or "").count("]]> \\x1b[31m of zlib") == 2


def test_neither_copies_nor_order_of_the_inputs_change_the_answer(capsys: Out) -> None:
    want = told(capsys, "reports/shop.json", "reports/bot.json")
    again = Path("again")
    again.mkdir()
    (again / "z.json").write_bytes(Path("reports/shop.json").read_bytes())
    found = told(capsys, "again", "reports/bot.json", "reports/shop.json")

    def bare(answer: tuple[int, dict[str, Any]]) -> str:
        return json.dumps(answer).replace("again/z.json", "reports/shop.json")

    assert bare(found) == bare(want)


def test_what_cannot_be_read_is_no_reason_to_pass(capsys: Out) -> None:
    whole = Path("reports/bot.json").read_bytes()
    Path("reports/bot.json").write_bytes(whole[: len(whole) // 2])
    code, policy = told(capsys, "reports/bot.json")
    assert code == 1
    assert names(policy["checks"][0]["violations"]) == [("reports/bot.json", "truncated", "high")]
    Path("ours.yml").write_text(POLICY + "rejects: 1\n", "utf-8")
    assert told(capsys, "reports/bot.json")[0] == 0


def test_a_scanner_that_found_nothing_is_no_failure_where_its_format_is_named(capsys: Out) -> None:
    Path("leaks.json").write_text("[]", "utf-8")
    assert gate(capsys, "--source", "gitleaks", "leaks.json")[0] == 0
    code, policy = told(capsys, "leaks.json")  # nobody knows whose list that is
    assert code == 1
    assert names(policy["checks"][0]["violations"]) == [("leaks.json", "unknown-format", "high")]


def test_the_store_of_a_gate_can_be_kept_and_asked(capsys: Out) -> None:
    assert gate(capsys, "--out", "kept", "reports")[0] == 1
    assert main(["query", "SELECT count(*) AS n FROM weaknesses", "--store", "kept"]) == 0
    assert capsys.readouterr().out.split()[-1] == "3"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["gate", "reports"], "no policy is named; give --policy release, or a file"),
        (["gate", "--policy", "ours.yml"], "no input is named; give the reports"),
        (
            ["gate", "--policy", "theirs", "reports"],
            "theirs is not there, and no policy of ours is called so: merge, release",
        ),
        (["gate", "--policy", "ours.yml", "nothing"], "nothing is not there"),
        (["gate", "--policy", "ours.yml", "empty"], "empty holds no file named"),
        (
            ["gate", "--policy", "wrong.yml", "reports"],
            "wrong.yml:5: `checks.0.weaknesses.severe`: there is no such key here",
        ),
        (
            ["gate", "--policy", "ours.yml", "--baseline", "none.json", "reports"],
            "none.json cannot be read: No such file or directory; --write-baseline makes one",
        ),
        (
            ["gate", "--policy", "ours.yml", "--baseline", "ours.yml", "reports"],
            "ours.yml is no baseline of a gate",
        ),
    ],
)
def test_what_is_asked_wrongly(words: list[str], expected: str, capsys: Out) -> None:
    Path("empty").mkdir()
    Path("wrong.yml").write_text(
        "id: wrong\ntitle: W\nchecks:\n  - {id: a, title: A,\n     weaknesses: {severe: high}}\n"
    )
    capsys.readouterr()
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert expected in said.err
    assert said.err.count("\n") == 1


def test_a_report_that_cannot_be_written_is_no_answer(capsys: Out) -> None:
    code, _, err = gate(capsys, "--sarif", "none/gate.sarif", "reports")
    assert (code, err) == (
        3,
        "barograph: none/gate.sarif cannot be written: No such file or directory\n",
    )


def test_those_of_ours_are_listed(capsys: Out) -> None:
    assert main(["gate", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["merge", "release"]

"""The evidence pack: equal bytes, hashes that hold, OCSF by the schema, hostile texts inert."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from infra.cli import main
from infra.compliance.assessed import assessment, framework
from infra.compliance.page import page
from infra.reading.reader import Reader
from sinks.store import SNAPSHOT
from tests.infra.compliance.conftest import Comply
from tests.sinks.formats.ocsf_schema import Schema

FILES = [
    "SHA256SUMS",
    "compliance_findings.jsonl",
    "controls.csv",
    "controls.jsonl",
    "criteria.jsonl",
    "evidence.csv",
    "manifest.json",
    "report.html",
]
CLAIMS = "application:claims-triage"


@pytest.fixture(scope="module")
def pack(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pack")
    words = ["comply", "--framework", "owasp_llm_2025", "--store", str(demo), "--out", str(out)]
    assert main(words) == 0
    return out


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def table(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))


def test_two_packs_are_equal_byte_for_byte(pack: Path, tmp_path: Path, comply: Comply) -> None:
    assert comply("--framework", "owasp-llm", "--out", str(tmp_path))[0] == 0
    assert sorted(file.name for file in pack.iterdir()) == FILES
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (pack / name).read_bytes(), name


def test_the_manifest_and_the_sums_hold(pack: Path) -> None:
    manifest = json.loads((pack / "manifest.json").read_text("utf-8"))
    assert {one["name"]: one["sha256"] for one in manifest["files"]} == {
        name: sha256((pack / name).read_bytes()).hexdigest()
        for name in FILES
        if name not in ("SHA256SUMS", "manifest.json")
    }
    assert manifest["counts"] == {"fail": 7, "not_assessed": 23, "pass": 1}
    assert manifest["assessed_at"] == manifest["at"] == "2026-03-03T23:20:18.000000Z"
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=pack,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_hash_can_be_recomputed_from_the_records(
    pack: Path, demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("controls.jsonl", "criteria.jsonl"):
        assert main(["verify", str(pack / name), "--store", str(demo)]) == 0, name
    said = capsys.readouterr().out
    assert said.count("as it was hashed") == len(lines(pack / "controls.jsonl")) + len(
        lines(pack / "criteria.jsonl")
    )
    changed = (
        (pack / "controls.jsonl").read_text("utf-8").replace('"status":"fail"', '"status":"pass"')
    )
    (pack.parent / "forged.jsonl").write_text(changed, encoding="utf-8")
    assert main(["verify", str(pack.parent / "forged.jsonl"), "--store", str(demo)]) == 1


def test_evidence_leads_to_the_record(pack: Path, demo: Path) -> None:
    rows = table(pack / "evidence.csv")
    (scan,) = (
        row
        for row in rows
        if row["criterion"] == "images_without_secrets" and row["scope"] == "application:fraud-lens"
    )
    assert (scan["speaks"], scan["what"], scan["text"]) == ("for", "event", "looked at by trivy")
    assert scan["origin"] == f"file:{demo}/input/trivy/fraud-lens-20260303.json#23"
    assert all(row["origin"] for row in rows if row["event"])
    against = {(row["criterion"], row["what"]) for row in rows if row["speaks"] == "against"}
    assert {("images_without_secrets", "fact"), ("LLM03", "alert")} <= against


def test_the_table_says_what_the_lines_say(pack: Path) -> None:
    rows, bodies = table(pack / "controls.csv"), lines(pack / "controls.jsonl")
    assert [(r["control"], r["scope"], r["status"], r["reason"]) for r in rows] == [
        (b["control"], b["scope"], b["meta"]["status"], b["reason"]) for b in bodies
    ]
    first = rows[1]
    assert (first["control"], first["scope"], first["against"]) == ("LLM01", CLAIMS, "1")
    assert first["criteria"] == (
        "guardrails_in_place fail; prompt_attacks_stopped not_assessed;"
        " instructions_not_followed not_applicable"
    )


def test_findings_are_valid_by_the_schema_of_ocsf(pack: Path, shared: Path) -> None:
    schema = Schema(shared / "corpora" / "standards" / "ocsf")
    found = lines(pack / "compliance_findings.jsonl")
    for one in found:
        assert list(schema.problems(one)) == []
    statuses = {
        (one["compliance"]["control"], one.get("resources", [{}])[0].get("uid")): (
            one["compliance"]["status_id"],
            one["activity_id"],
            one["severity_id"],
        )
        for one in found
    }
    assert statuses["LLM03", None] == (3, 1, 5)
    assert statuses["LLM03", "policy-assistant"] == (1, 3, 1)
    assert statuses["LLM05", None] == (99, 1, 1)
    assert len({one["finding_info"]["uid"] for one in found}) == len(found)


def test_the_page_loads_nothing_and_names_every_control(pack: Path) -> None:
    page = (pack / "report.html").read_text("utf-8")
    assert "default-src 'none'" in page
    assert not [word for word in ("<script", "<img", "<link", "url(", "@import") if word in page]
    for number in range(1, 11):
        assert f"<h2>LLM{number:02} " in page
    assert "This is evidence and no certificate." in page


def test_the_page_of_many_systems_counts_them(demo: Path) -> None:
    with Reader(demo / SNAPSHOT) as reader:
        told = assessment(reader, "out", framework("owasp_llm_2025"))
    (whole, *systems) = (answer for answer in told.answers if answer.control.ref == "LLM02")
    copies = [
        answer._replace(body={**answer.body, "scope": f"{answer.scope}-{number}"})
        for answer in systems
        for number in range(40)
    ]
    text = page(told._replace(answers=[whole, *copies]), [])
    row = text.partition('<th scope="row">LLM02</th>')[2].partition("</tr>")[0]
    assert row.endswith("<td>40</td><td>80</td><td></td>")
    assert text.count("<h3>") == 25
    assert "96 more systems are in controls.csv." in text


def test_a_folder_that_cannot_be_written_is_told(pack: Path, comply: Comply) -> None:
    code, out, err = comply("--framework", "iso_42001", "--out", str(pack / "manifest.json"))
    assert code == 3
    assert err.endswith(
        "manifest.json cannot be written: File exists; make room, or give another with --out\n"
    )
    assert out

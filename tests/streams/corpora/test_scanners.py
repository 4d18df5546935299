"""Reports of real scanners: as many findings as the parsers of another project find."""

from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.canonical import canonical
from schemas.config import Limits
from schemas.event import Event, Reject
from streams.reading import Outcome, Reader, outcomes
from streams.source import named

LIMITS = Limits()

Count = Callable[[list[Event]], int]


def rows(found: list[Event]) -> int:
    """Each row of the report, settled or not."""
    return len(found)


def opened(found: list[Event]) -> int:
    """DefectDojo drops checks that passed."""
    return sum(one.finding is not None and one.finding.state == "open" for one in found)


def distinct(found: list[Event]) -> int:
    """DefectDojo folds rows of one weakness in one place, as our findings' uids do."""
    return len({one.finding.uid for one in found if one.finding})


def placed(found: list[Event]) -> int:
    """DefectDojo folds rows of one title in one line of one file."""
    told = [one.finding for one in found if one.finding]
    return len({(one.title, one.location) for one in told})


# DefectDojo's name of a tool -> our source, and how DefectDojo counts the rows of its reports.
TOOLS: dict[str, tuple[str, Count]] = {
    # One weakness of a package and version, once for each path in its detailed mode: ours.
    "anchore_grype": ("grype", distinct),
    "aws_prowler": ("prowler", opened),  # it drops Pass and Info, and keeps MANUAL
    "aws_prowler_v3plus": ("prowler", opened),
    "checkov": ("checkov", opened),  # it reads failed_checks alone
    "dependency_track": ("dependency_track", rows),
    "github_secrets_detection_report": ("github_alerts", rows),
    "github_vulnerability": ("github_alerts", rows),
    "gitleaks": ("gitleaks", rows),
    "kics": ("kics", rows),
    "osv_scanner": ("osv", rows),
    "pip_audit": ("pip_audit", rows),
    "prowler": ("prowler", opened),
    "sarif": ("sarif", rows),  # what is suppressed is a finding that is not active
    "semgrep": ("semgrep", placed),  # one a title and place, in whichever repository
    "semgrep_pro": ("semgrep", rows),
    "snyk": ("snyk", rows),
    "snyk_code": ("sarif", rows),
    "trivy": ("trivy", rows),
    "trivy_operator": ("trivy", opened),  # it drops checks and controls that passed
    "trufflehog": ("trufflehog", distinct),  # version 2: one a path and reason; 3: equal rows
    "trufflehog3": ("trufflehog", distinct),
    "wiz": ("wiz", rows),  # resolved and ignored issues are findings that are not active
    "wizcli_dir": ("wiz", rows),
    "wizcli_iac": ("wiz", rows),
    "wizcli_img": ("wiz", rows),
}
# Files that say nothing of what wrote them: a user names the source.
NAMELESS = {
    "aws_prowler_v3plus/no_vuln.json",
    "gitleaks/no_findings.json",
    "pip_audit/empty.json",
    "pip_audit/empty_new.json",
    "semgrep/empty.json",
    "trivy/legacy_no_vuln.json",
    "trufflehog3/zero_vulns.json",
}
EMPTY = {"aws_prowler/no_vuln.json", "osv_scanner/no_findings.json"}
# `{}`: whoever reads it as a report is told that it is none.
WRONG = {"github_secrets_detection_report/github_secrets_detection_report_invalid.json"}


def events(found: list[Outcome]) -> list[Event]:
    """The Events of outcomes, none of which may be a reject."""
    kept = []
    for result, _ in found:
        assert not isinstance(result, Reject), result
        canonical(result.event.body())
        kept.append(result.event)
    return kept


def read(folder: Path, file: str, source: str) -> list[Event]:
    """What a file says, read as what it shows to be."""
    found = list(outcomes(str(folder / file), LIMITS))
    if file in WRONG:
        found += outcomes(str(folder / file), LIMITS, named(source))
        refused = [one.result.reason for one in found if isinstance(one.result, Reject)]
        assert refused == ["unknown-format", "wrong-shape"]
        return []
    if file in EMPTY | NAMELESS:
        assert [one.result.reason for one in found if isinstance(one.result, Reject)] == [
            "empty" if file in EMPTY else "unknown-format"
        ]
        found = [] if file in EMPTY else list(outcomes(str(folder / file), LIMITS, named(source)))
    return events(found)


def expected(row: dict[str, Any]) -> set[int]:
    """The counts that the tests of DefectDojo assert of a file, in any mode of its parser."""
    first = next((said for said in row["count_asserts"] if said[0] == "len(findings)"), None)
    count = row["findings"] if row["findings"] is not None else first and first[1]
    return set() if count is None else {count, *row["other_counts_for_file"]}


def test_as_many_findings_as_defectdojo(shared: Path) -> None:
    folder = shared / "corpora/scanners/defectdojo"
    wanted: dict[str, set[int]] = defaultdict(set)
    for row in map(orjson.loads, (folder / "expectations.jsonl").read_bytes().splitlines()):
        if row["tool"] in TOOLS:
            for file in row["files"]:
                wanted[file] |= expected(row)
    equal = Counter[str]()
    for tool, (source, count) in TOOLS.items():
        for path in sorted((folder / tool).iterdir()):
            file = f"{tool}/{path.name}"
            told = read(folder, file, source)
            found = [one for one in told if one.finding is not None]
            if wanted.get(file):
                assert count(found) in wanted[file], file
                equal[tool] += 1
    assert equal == {
        "anchore_grype": 6,
        "aws_prowler": 5,
        "aws_prowler_v3plus": 4,
        "checkov": 2,
        "dependency_track": 7,
        "github_secrets_detection_report": 1,
        "github_vulnerability": 8,
        "gitleaks": 4,
        "kics": 1,
        "osv_scanner": 2,
        "pip_audit": 4,
        "prowler": 5,
        "sarif": 7,
        "semgrep": 6,
        "semgrep_pro": 2,
        "snyk": 3,
        "snyk_code": 2,
        "trivy": 9,
        "trivy_operator": 9,
        "trufflehog": 2,
        "trufflehog3": 3,
        "wiz": 3,
        "wizcli_dir": 2,
        "wizcli_iac": 2,
        "wizcli_img": 2,
    }


def test_files_without_a_count(shared: Path) -> None:
    """What DefectDojo does not count, counted by hand: rows, and those that are open."""
    folder = shared / "corpora/scanners/defectdojo"
    counts = {
        "anchore_grype/anchore_grype_epss_problem.json": ("grype", 1, 1),
        "checkov/checkov-report-many-vuln.json": ("checkov", 3, 3),
        "sarif/suppression_test.sarif": ("sarif", 5, 2),
        "sarif/spotbugs.sarif": ("sarif", 56, 56),
        "sarif/no_runs.sarif": ("sarif", 0, 0),
        "trivy/kubernetes_fabricated_subset.json": ("trivy", 13, 13),
    }
    for file, (source, all_, open_) in counts.items():
        found = [one for one in read(folder, file, source) if one.finding]
        assert (file, rows(found), opened(found)) == (file, all_, open_)


def test_a_scan_that_failed(shared: Path) -> None:
    folder = shared / "corpora/scanners/defectdojo"
    *_, scan = read(folder, "sarif/spotbugs.sarif", "sarif")
    assert (scan.class_uid, scan.status, scan.attributes["scan.tool"]) == (
        6007,
        "failure",
        "spotbugs",
    )


def test_grype_of_one_image(shared: Path) -> None:
    """By hand: EPSS of a new version, the CVE of an advisory, the image by its digest."""
    folder = shared / "corpora/scanners/defectdojo"
    (event,) = read(folder, "anchore_grype/anchore_grype_epss_problem.json", "grype")
    assert event.finding is not None
    assert event.finding.vulnerability == "CVE-2023-39325"
    assert event.attributes["vulnerability.aliases"] == ["GHSA-4374-p667-p6c8"]
    assert event.attributes["vulnerability.epss"] == pytest.approx(0.00163)
    told = read(folder, "anchore_grype/issue_9618.json", "grype")
    assert {one.entities[0].id[:20] for one in told} == {"sha256:97e6d5aeed19f"}


def test_prowler(shared: Path) -> None:
    """Eight examples of Prowler itself, by hand: rows, and those that are open."""
    folder = shared / "corpora/scanners/prowler"
    counts = {}
    for path in sorted(folder.glob("example_output_*")):
        found = read(folder, path.name, "prowler")
        assert {one.source for one in found} == {"prowler"}
        counts[path.name.removeprefix("example_output_")] = rows(found), opened(found)
    assert counts == {
        "aws.csv": (4, 4),
        "aws.ocsf.json": (5, 5),
        "azure.csv": (4, 1),
        "azure.ocsf.json": (5, 5),
        "gcp.csv": (4, 1),
        "gcp.ocsf.json": (5, 2),
        "kubernetes.csv": (4, 3),
        "kubernetes.ocsf.json": (6, 5),
    }


def test_sarif_of_a_skill_scanner(shared: Path) -> None:
    folder = shared / "corpora/scanners/cisco-skill-scanner/examples"
    (event,) = read(folder, "output-formats-1.json", "sarif")
    assert event.finding is not None
    assert (event.finding.check, event.severity) == ("PIPELINE_TAINT_FLOW", "high")
    assert event.attributes["scan.tool"] == "skill-scanner"


def test_one_image_of_two_reports(shared: Path) -> None:
    """Trivy of an inventory: the image is its digest, whatever the tag."""
    folder = shared / "corpora/inventory/cartography/trivy"
    reader = Reader(named("trivy"), "file:x", LIMITS)
    assets = Counter[str]()
    for path in sorted(folder.glob("*.json")):
        for document in orjson.loads(path.read_bytes()).values():
            found = events(list(reader.read(orjson.dumps(document), 0)))
            (asset,) = {one.entities[0].id for one in found}
            assert document["Metadata"]["RepoDigests"][0].endswith(asset)
            assets[asset] += 1
    assert sum(assets.values()) == 6


def test_semgrep_of_an_inventory(shared: Path) -> None:
    folder = shared / "corpora/inventory/cartography/semgrep"
    reader = Reader(named("semgrep"), "file:x", LIMITS)
    said = set()
    for name in ("sast", "sca", "secrets"):
        document = orjson.loads((folder / f"{name}.json").read_bytes())
        answer = document[f"{name.upper()}_RESPONSE"]
        for one in events(list(reader.read(orjson.dumps(answer), 0))):
            assert one.finding is not None
            found = one.finding.vulnerability or one.finding.check
            said.add((name, found, one.finding.state, one.entities[0].id))
    repo = "github.com/simpsoncorp/sample_repo"
    assert said == {
        ("sast", "python.lang.security.audit.sqli.formatted-sql-query", "open", repo),
        ("sca", "CVE-2022-31129", "open", repo),
        ("sca", "UNKNOWN-2022-31129", "open", repo),
        ("secrets", "OpenAI", "open", repo),
    }


def test_records_of_rule_tests(shared: Path) -> None:
    """Issues and threats of Wiz, and DNS in OCSF, as rules of another project are tested with."""
    folder = shared / "corpora/cloudtrail/vendor-rule-tests/rule-tests"
    said = []
    for name, source in (
        ("Wiz.Issues", "wiz"),
        ("Wiz.IssuesWebhook", "wiz"),
        ("Wiz.Detections", "wiz"),
        ("AWS.VPCDns", "ocsf"),
    ):
        reader = Reader(named(source), "file:x", LIMITS)
        for line in (folder / f"{name}.jsonl").read_bytes().splitlines():
            document = orjson.dumps(orjson.loads(line)["log"])
            if not named(source).sniff(document):  # Route 53 in its own words
                continue
            (event,) = events(list(reader.read(document, 0)))
            state = event.finding.state if event.finding else event.attributes["dns.question.name"]
            said.append((name, event.entities[0].key, state))
    assert Counter(said) == {
        ("Wiz.Issues", "account:wiz", "open"): 2,
        ("Wiz.Issues", "account:wiz", "resolved"): 1,
        ("Wiz.IssuesWebhook", "account:111111111111", "open"): 2,
        ("Wiz.IssuesWebhook", "account:984186218765", "resolved"): 1,
        ("Wiz.Detections", "host:i-abcdef1234567890a", "open"): 2,
        ("Wiz.Detections", "host:i-0cfdf6629c26e24da", "open"): 1,
        ("AWS.VPCDns", "host:i-0abc234", "dynamodb.us-west-2.amazonaws.com."): 1,
        ("AWS.VPCDns", "host:i-0abc234", "moneropool.ru"): 1,
    }

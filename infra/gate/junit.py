"""JUnit: a verdict as a test report, which every build server can show.

The XML that Jenkins, GitLab and Azure read: a suite for each policy, a case for each check.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from correlators.gating import Result, Verdict
from infra.gate.told import line
from infra.terminal import shown
from infra.terminal.shown import plural


def junit(verdicts: Sequence[Verdict]) -> bytes:
    """The report. No text of a record can be anything but text in it."""
    failed = sum(not result.passed for verdict in verdicts for result in verdict.results)
    total = sum(len(verdict.results) for verdict in verdicts)
    counts = {"tests": str(total), "failures": str(failed), "errors": "0"}
    root = ET.Element("testsuites", {"name": "barograph gate", **counts})
    for verdict in verdicts:
        failures = str(sum(not result.passed for result in verdict.results))
        counts = {"tests": str(len(verdict.results)), "failures": failures, "errors": "0"}
        suite = ET.SubElement(root, "testsuite", {"name": verdict.policy.id, **counts})
        for result in verdict.results:
            _case(suite, verdict.policy.id, result)
    ET.indent(root)
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def _case(suite: ET.Element, policy: str, result: Result) -> None:
    name = shown.text(f"{result.check}: {result.title}")
    case = ET.SubElement(suite, "testcase", {"classname": policy, "name": name})
    if not result.passed:
        message = plural(len(result.violations), "violation")
        failure = ET.SubElement(case, "failure", {"message": message, "type": "violation"})
        failure.text = "\n".join(
            shown.text(f"{one.severity} {line(one)}") for one in result.violations
        )
    aside = [f"known: {line(one)}" for one in result.known]
    aside += [f"waived ({waiver.reason}): {line(one)}" for one, waiver in result.waived]
    if aside:
        ET.SubElement(case, "system-out").text = "\n".join(map(shown.text, aside))

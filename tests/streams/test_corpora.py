"""Third-party samples: each record is parsed or rejected with a reason, none is a crash."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest

from schemas.canonical import canonical
from schemas.config import Limits
from schemas.event import Reject
from streams.reading import Outcome, Reader, outcomes
from streams.source import Reason, named

LIMITS = Limits()


def files(folder: Path, *patterns: str) -> list[Path]:
    found = sorted(path for pattern in patterns for path in folder.rglob(pattern))
    assert found
    return found


def read(path: Path, source: str | None = None) -> list[Outcome]:
    """The outcomes of a file, each checked for what must hold of every one."""
    found = list(outcomes(str(path), LIMITS, named(source) if source else None))
    for result, _ in found:
        if isinstance(result, Reject):
            assert result.reason in get_args(Reason)
            assert result.detail
        else:
            canonical(result.event.body())
    return found


def reasons(found: list[Outcome]) -> Counter[str]:
    return Counter(one.result.reason for one in found if isinstance(one.result, Reject))


def test_cloudtrail(shared: Path) -> None:
    counts = Counter[str]()
    for path in files(shared / "corpora/cloudtrail", "*.cloudtrail", "aws.*.json"):
        found = read(path)
        assert reasons(found) == {}
        counts[path.parent.name] += len(found)
    assert counts == {"examples": 207, "stratus": 28}


def test_cloudtrail_of_rule_tests(shared: Path) -> None:
    """Rule tests hold what a rule looks at, often no time: those that are whole are parsed."""
    reader = Reader(named("cloudtrail"), "file:x", LIMITS)
    rows = shared / "corpora/cloudtrail/vendor-rule-tests/rule-tests/AWS.CloudTrail.jsonl"
    counts = Counter[str]()
    for row in rows.read_bytes().splitlines():
        log = orjson.loads(row)["log"]
        (outcome,) = reader.read(orjson.dumps(log), 0)
        whole = {"eventName", "eventSource", "eventTime"} <= log.keys() and log[
            "eventTime"
        ] != "..."
        assert isinstance(outcome.result, Reject) is not whole
        counts[outcome.result.reason if isinstance(outcome.result, Reject) else "parsed"] += 1
    assert counts == {"parsed": 146, "no-time": 10, "wrong-shape": 6, "bad-time": 1}


def test_cloudtrail_templates(shared: Path) -> None:
    reader = Reader(named("cloudtrail"), "file:x", LIMITS)
    templates = shared / "bench/templates/cloudtrail_templates.ndjson"
    records = [orjson.loads(line)["rec"] for line in templates.read_bytes().splitlines()]
    found = [one for record in records for one in reader.read(orjson.dumps(record), 0)]
    assert (len(found), reasons(found)) == (177, {"no-time": 5, "bad-time": 1})


def test_trivy(shared: Path) -> None:
    """Each finding that the parser of another project finds is found, and one scan a report."""
    folder = shared / "corpora/scanners/defectdojo"
    rows = map(orjson.loads, (folder / "expectations.jsonl").read_bytes().splitlines())
    expected = {row["file"]: row["findings"] for row in rows if row["tool"] == "trivy"}
    compared = 0
    for path in files(folder / "trivy", "*.json"):
        found = read(path)
        if reasons(found):
            assert len(found) == 1
            assert reasons(found).keys() <= {"unknown-format"}
        elif (name := f"trivy/{path.name}") in expected:
            assert len(found) == expected[name] + 1
            compared += 1
    assert compared == 8


def test_trivy_of_an_inventory(shared: Path) -> None:
    reader = Reader(named("trivy"), "file:x", LIMITS)
    counts: dict[str, int] = {}
    for path in files(shared / "corpora/inventory/cartography/trivy", "*.json"):
        for name, document in orjson.loads(path.read_bytes()).items():
            found = list(reader.read(orjson.dumps(document), 0))
            assert reasons(found) == {}
            rows = [row for one in document["Results"] for row in one["Vulnerabilities"]]
            assert len(found) == len(rows) + 1
            counts[name] = len(rows)
    assert len(counts) == 6
    assert sum(counts.values()) == 8


def wrapped(path: Path) -> bytes:
    """A span as upstream keeps it, with the ids and times that upstream took away."""
    span = orjson.loads(path.read_bytes())
    span |= {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174"}
    span |= {"endTimeUnixNano": "1772600767123456789"}
    return orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})


def test_spans(shared: Path) -> None:
    reader = Reader(named("otel"), "file:x", LIMITS)
    operations = Counter[str]()
    for path in files(shared / "corpora/ai-telemetry/envoy-ai-gateway/otlp-spans", "*.json"):
        assert reasons(read(path)) == {"no-time": 1}
        (outcome,) = reader.read(wrapped(path), 0)
        assert not isinstance(outcome.result, Reject)
        event, private = outcome.result
        operations[event.activity] += 1
        assert event.attributes.get("gen_ai.provider.name") in {None, "openai"}
        failed = b'"STATUS_CODE_ERROR"' in path.read_bytes()
        assert event.status == ("failure" if failed else "success")
        stored = canonical(event.body()).decode()
        assert not [
            said for said in private.values() if len(str(said)) > 60 and str(said) in stored
        ]
    assert operations["chat"] >= 18
    assert operations["embeddings"] == 4


def pairs(attributes: dict[str, Any]) -> Iterator[dict[str, Any]]:
    tags = {str: "stringValue", int: "intValue", float: "doubleValue", bool: "boolValue"}
    for key, value in attributes.items():
        tagged = {tags[type(value)]: value} if type(value) in tags else {"arrayValue": {}}
        yield {"key": key, "value": tagged}


def test_attributes_of_three_generations(shared: Path) -> None:
    reader = Reader(named("otel"), "file:x", LIMITS)
    seen: dict[str, tuple[str, list[str]]] = {}
    for path in files(shared / "corpora/ai-telemetry/openinference/genai-conversion", "*.json"):
        attributes = list(pairs(orjson.loads(path.read_bytes())))
        span = {"kind": 3, "name": "x", "endTimeUnixNano": "1772600767123456789"}
        (outcome,) = reader.read(orjson.dumps(span | {"attributes": attributes}), 0)
        assert not isinstance(outcome.result, Reject)
        event = outcome.result.event
        seen[path.stem] = event.activity, [one.key for one in event.entities]
    assert seen == {
        "openinference_client_span_input_output_only": ("chat", ["model:gpt-4-0613"]),
        "openinference_client_span_tool_calls": ("chat", ["model:gpt-4-0613"]),
        "otel_genai_client_span_tool_calls": ("chat", ["model:gpt-4-0613"]),
        "otel_genai_deprecated_client_span_tool_calls": ("chat", ["model:gpt-4-0613"]),
        "otel_genai_tool_execution_span": ("execute_tool", ["tool:get_weather"]),
    }


def test_cyclonedx(shared: Path) -> None:
    folder = shared / "corpora/standards/cyclonedx"
    counts = Counter[str]()
    for path in files(folder, "boms/valid/**/*.json", "boms/ml/**/*.json", "examples/**/*.json"):
        found = read(path)
        assert reasons(found) == {}, path
        for result, _ in found:
            assert not isinstance(result, Reject)
            counts[result.event.class_name] += 1
    assert counts["Software Inventory Info"] > 1_000
    assert counts["Vulnerability Finding"] > 20


def test_invalid_cyclonedx(shared: Path) -> None:
    for path in files(shared / "corpora/standards/cyclonedx/boms/invalid", "*.json"):
        assert reasons(read(path)).keys() <= {"bad-time", "unknown-format", "wrong-shape"}


@pytest.mark.parametrize("name", ["mcp-tool-bench/tools.jsonl"])
def test_prompts_are_no_known_format(shared: Path, name: str) -> None:
    assert reasons(read(shared / "corpora/prompts" / name)) == {"unknown-format": 1}

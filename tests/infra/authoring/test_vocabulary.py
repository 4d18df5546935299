from typing import Any

import orjson
import pytest

from correlators.normal import NAMES, normal_form
from infra.authoring.vocabulary import Vocabulary, normalised, raw
from schemas.event import EventEvidence
from streams.source import named, sources

WORDS = Vocabulary({"who.name", "who.tags[].key", "asked.*", "time"})


@pytest.mark.parametrize("name", ["who", "who.name", "who.tags.key", "asked", "asked.a.b", "time"])
def test_it_knows_what_it_was_told_and_all_that_leads_there(name: str) -> None:
    assert WORDS.knows(name)
    assert WORDS.allows(name)


@pytest.mark.parametrize("name", ["", "Who.name", "who.nam", "who.name.first", "tim", "ask"])
def test_it_knows_no_more(name: str) -> None:
    assert not WORDS.knows(name)
    assert not WORDS.allows(name)


def test_with_a_star_anything_may_be_and_is_not_known() -> None:
    words = Vocabulary({"time", "*"})
    assert words.allows("own")
    assert not words.knows("own")


def test_what_is_or_lies_in_a_list_is_not_single() -> None:
    names = ("who.name", "time", "who.tags", "who.tags.key", "asked.x")
    assert [name for name in names if WORDS.single(name)] == ["who.name", "time"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("who.nmae", "who.name"),
        ("WHO.NAME", "who.name"),
        ("name", "who.name"),
        ("user.key", "who.tags.key"),
        ("quite.other", None),
    ],
)
def test_the_nearest_name(written: str, meant: str | None) -> None:
    assert WORDS.nearest(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("gen_ai.operation", "gen_ai.operation.name"),
        ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_write.input_tokens"),
        ("gen_ai.system", "gen_ai.provider.name"),
    ],
)
def test_the_normal_form_has_keys_as_they_stand(written: str, meant: str) -> None:
    words = normalised(named("otel"))
    assert words is not None
    assert words.allows(written)
    assert not words.knows(written)
    assert words.nearest(written) == meant


def test_it_learns_from_records() -> None:
    words = Vocabulary(set())
    words.learn({"a": {"b": 1}, "c": [{"d": [2]}], "e": None})
    assert [n for n in ("a", "a.b", "c.d", "e", "c.e") if words.knows(n)] == [
        "a",
        "a.b",
        "c.d",
        "e",
    ]
    assert [n for n in ("a.b", "c", "c.d", "e") if words.single(n)] == ["a.b", "e"]
    deep: dict[str, Any] = {}
    for _ in range(1000):
        deep = {"a": deep}
    words.learn(deep)


def test_every_source_says_what_its_events_have() -> None:
    assert [name for name, one in sources().items() if normalised(one) is None] == []
    trail = raw(named("cloudtrail"))
    assert trail is not None
    assert trail.knows("userIdentity.sessionContext.sessionIssuer.userName")
    assert trail.single("eventName")
    assert not trail.single("resources.ARN")


DOCUMENTS: dict[str, dict[str, Any]] = {
    "cloudtrail": {
        "eventVersion": "1.11", "eventTime": "2026-11-01T12:00:00Z", "eventSource":
        "bedrock.amazonaws.com", "eventName": "InvokeModel", "awsRegion": "eu-west-1",
        "errorCode": "AccessDenied", "readOnly": True, "sourceIPAddress": "192.0.2.1",
        "userIdentity": {"type": "IAMUser", "accessKeyId": "AKIAEXAMPLE"},
        "requestParameters": {"modelId": "vendor.m", "guardrailIdentifier": "gr1"},
    },
    "trivy": {
        "SchemaVersion": 2, "CreatedAt": "2026-11-01T12:00:00Z", "ArtifactName": "shop:1",
        "ArtifactType": "container_image", "Results": [{
            "Target": "shop",
            "Vulnerabilities": [{"VulnerabilityID": "CVE-2026-0001", "PkgName": "ray",
                "InstalledVersion": "1", "FixedVersion": "2", "Severity": "HIGH",
                "PkgIdentifier": {"PURL": "pkg:pypi/ray@1"},
                "CVSS": {"nvd": {"V3Score": 9.1}}}],
            "Misconfigurations": [{"ID": "X1", "Title": "t", "Severity": "LOW", "Status": "FAIL"}],
            "Secrets": [{"RuleID": "r", "Category": "c", "Title": "t", "Severity": "HIGH"}],
            "Licenses": [{"Name": "GPL", "Category": "restricted", "Severity": "LOW"}],
        }],
    },
    "cyclonedx": {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "urn:uuid:x",
        "metadata": {"timestamp": "2026-11-01T12:00:00Z", "component":
            {"type": "application", "name": "shop", "bom-ref": "s"}},
        "components": [{"type": "library", "name": "ray", "version": "1", "purl": "pkg:pypi/ray@1",
            "bom-ref": "r", "properties": [{"name": "barograph:exposure", "value": "internet"},
                {"name": "barograph:data", "value": "pii"}]}],
        "services": [{"name": "api", "endpoints": ["https://shop.example"]}],
        "vulnerabilities": [{"id": "CVE-2026-0001", "affects": [{"ref": "r"}],
            "ratings": [{"score": 9.1, "severity": "critical"}]}],
    },
}  # fmt: skip


@pytest.mark.parametrize("source", DOCUMENTS)
def test_events_have_no_attribute_that_their_source_does_not_name(source: str) -> None:
    of = named(source)
    words = Vocabulary(NAMES | getattr(of, "ATTRIBUTES"))  # noqa: B009 - optional in the protocol
    seen: set[str] = set()
    classes: set[str] = set()
    for one in of.split(orjson.dumps(DOCUMENTS[source])):
        evidence = EventEvidence(origin="test#1", sha256="0" * 64)
        event, private = of.event(one, orjson.loads(one.data), evidence)
        seen |= normal_form(event, private).keys()
        classes.add(event.class_name.lower().replace(" ", "_"))
    assert [name for name in sorted(seen) if not words.knows(name)] == []
    assert classes <= getattr(of, "CATEGORIES")  # noqa: B009 - as above
    assert len(seen & getattr(of, "ATTRIBUTES")) > 5  # noqa: B009 - as above

from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.event import Event, EventEvidence, Reject
from schemas.times import rfc3339
from streams.source import Raw, Unreadable
from streams.sources import cyclonedx

HASH = "A" * 64
ROOT = {"type": "application", "bom-ref": "app", "name": "claims", "version": "3.1"}
LIBRARY = {
    "type": "library",
    "bom-ref": "lib",
    "name": "ray",
    "version": "2.6.3",
    "purl": "pkg:pypi/ray@2.6.3",
}
MODEL = {
    "type": "machine-learning-model",
    "bom-ref": "model",
    "name": "writer",
    "version": "1",
    "hashes": [{"alg": "SHA-1", "content": "0"}, {"alg": "SHA-256", "content": HASH}],
    "modelCard": {
        "modelParameters": {"datasets": [{"ref": "data"}, {"type": "dataset", "name": "forms"}]}
    },
}
DATA = {
    "type": "data",
    "bom-ref": "data",
    "name": "letters",
    "data": [{"type": "dataset", "classification": "Personal"}],
}
SERVER = {
    "bom-ref": "server",
    "name": "rates",
    "endpoints": ["https://rates.example"],
    "properties": [
        {"name": "barograph:kind", "value": "mcp_server"},
        {"name": "barograph:id", "value": "rates.example:443"},
        {"name": "barograph:exposure", "value": "internet"},
        {"name": "barograph:data", "value": "payment, Personal,"},
        {"name": "internal", "value": "x"},
    ],
}
FLAW = {
    "id": "CVE-2026-0001",
    "ratings": [
        {"method": "CVSSv31", "score": 8.8, "severity": "high"},
        {"method": "OWASP", "score": 99, "severity": "critical"},
        {"severity": "none"},
    ],
    "affects": [{"ref": "urn:cdx:00000000-0000-0000-0000-000000000000/1#lib"}],
}


def bom(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    base = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "urn:uuid:00000000-0000-0000-0000-000000000000",
        "version": 1,
        "metadata": {"timestamp": "2026-03-04T05:06:07Z", "component": ROOT},
        "components": [LIBRARY, MODEL, DATA],
        "services": [SERVER],
        "dependencies": [
            {"ref": "app", "dependsOn": ["lib", "model", "server"]},
            {"ref": "server", "dependsOn": ["model", "lib", "gone"]},
        ],
        "vulnerabilities": [FLAW],
    }
    return base | changes


def events(**changes: Any) -> list[Event]:  # noqa: ANN401 - JSON
    found = []
    for raw in cyclonedx.split(orjson.dumps(bom(**changes))):
        evidence = EventEvidence(origin="file:x#1", sha256=sha256(raw.data).hexdigest())
        found.append(cyclonedx.event(raw, orjson.loads(raw.data), evidence).event)
    return found


def component(**said: Any) -> Event:  # noqa: ANN401 - JSON
    _, found = events(components=[said], services=None, vulnerabilities=None, dependencies=None)
    return found


def keys(found: Event) -> list[str]:
    return [one.key for one in found.entities]


def edges(found: Event) -> list[tuple[str, str, str]]:
    assert all(one.declared for one in found.edges)
    return [(one.from_.key, one.relation, one.to.key) for one in found.edges]


def test_the_parts_in_their_order() -> None:
    found = events()
    assert [keys(one)[0] for one in found] == [
        "application:claims",
        "application:claims",  # a library has no entity of its own
        f"model:sha256:{HASH.lower()}",
        "dataset:letters",
        "mcp_server:rates.example:443",
        "application:claims",
    ]
    assert {(one.class_uid, one.class_name) for one in found[:-1]} == {
        (5020, "Software Inventory Info")
    }
    assert {rfc3339(one.time) for one in found} == {"2026-03-04T05:06:07.000000Z"}
    assert {one.status for one in found[:-1]} == {"success"}
    assert len({one.uid for one in found}) == 6
    assert [one.uid for one in events()] == [one.uid for one in found]


def test_a_library_is_software_of_the_application() -> None:
    found = events()[1]
    assert edges(found) == []
    assert found.attributes == {
        "component.type": "library",
        "package.name": "ray",
        "package.version": "2.6.3",
        "package.purl": "pkg:pypi/ray@2.6.3",
    }


def test_a_model_and_what_it_was_trained_on() -> None:
    model = f"model:sha256:{HASH.lower()}"
    assert edges(events()[2]) == [
        ("application:claims", "uses", model),
        (model, "trained_on", "dataset:letters"),
        (model, "trained_on", "dataset:forms"),
    ]


def test_a_service_is_what_its_author_says() -> None:
    found = events()[4]
    assert edges(found) == [
        ("application:claims", "uses", "mcp_server:rates.example:443"),
        ("mcp_server:rates.example:443", "depends_on", f"model:sha256:{HASH.lower()}"),
    ]
    assert found.entities[0].name == "rates"
    assert found.attributes["asset.exposure"] == "internet"
    assert found.attributes["asset.data"] == ["payment", "personal"]
    assert found.attributes["service.endpoints"] == ["https://rates.example"]


def test_the_class_of_data_is_its_label() -> None:
    assert events()[3].attributes["asset.data"] == ["personal"]


def test_a_vulnerability_of_a_library_is_one_of_the_application() -> None:
    found = events()[5]
    assert (found.class_uid, found.class_name) == (2002, "Vulnerability Finding")
    assert (found.severity, found.activity) == ("critical", "Create")
    assert keys(found) == ["application:claims"]
    assert found.finding is not None
    assert (found.finding.vulnerability, found.finding.package) == ("CVE-2026-0001", "ray")
    assert (found.finding.title, found.finding.location) == ("CVE-2026-0001 in ray", "lib")
    assert found.attributes["vulnerability.cvss"] == 8.8
    assert found.attributes["package.version"] == "2.6.3"


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("not_affected", "resolved"),
        ("resolved", "resolved"),
        ("exploitable", "open"),
        (None, "open"),
    ],
)
def test_an_analysis_closes_a_vulnerability(state: str | None, told: str) -> None:
    opened = events()[5].finding
    found = events(vulnerabilities=[FLAW | {"analysis": {"state": state}}])[5].finding
    assert opened is not None
    assert found is not None
    assert (found.state, found.uid) == (told, opened.uid)


@pytest.mark.parametrize(
    ("ratings", "severity"),
    [
        ([{"score": 9.8}], "critical"),
        ([{"score": 0.1}], "low"),
        ([{"score": 0}], "informational"),
        ([{"score": 9.8, "severity": "low"}], "low"),
        ([], "informational"),
        ("high", "informational"),
    ],
)
def test_the_severity(ratings: object, severity: str) -> None:
    assert events(vulnerabilities=[FLAW | {"ratings": ratings}])[5].severity == severity


@pytest.mark.parametrize(
    ("said", "key"),
    [
        (
            {"type": "machine-learning-model", "name": "m", "purl": "pkg:huggingface/o/m@1"},
            "model:huggingface/o/m",
        ),
        ({"type": "machine-learning-model", "name": "m", "version": "2"}, "model:m@2"),
        ({"type": "machine-learning-model", "name": "m"}, "model:m"),
        ({"type": "container", "name": "r.example/t", "version": "7"}, "image:r.example/t:7"),
        (
            {"type": "container", "name": "t", "version": f"sha256:{HASH}"},
            f"image:sha256:{HASH.lower()}",
        ),
        (
            {"type": "container", "name": "t", "purl": f"pkg:oci/t@sha256%3A{HASH}?a=b"},
            f"image:sha256:{HASH.lower()}",
        ),
        ({"type": "data", "name": "d"}, "dataset:d"),
        ({"type": "library", "name": "l"}, "application:claims"),
        (
            {
                "type": "library",
                "name": "agent",
                "properties": [{"name": "barograph:kind", "value": "agent"}],
            },
            "agent:agent",
        ),
        (
            {
                "type": "library",
                "name": "x",
                "properties": [{"name": "barograph:kind", "value": "spaceship"}],
            },
            "application:claims",
        ),
    ],
)
def test_which_entity_a_component_is(said: dict[str, Any], key: str) -> None:
    assert keys(component(**said))[0] == key


def test_a_component_inside_hangs_below_the_entity_around_it() -> None:
    inner = {"type": "machine-learning-model", "name": "m"}
    shell = {"type": "library", "name": "shell", "components": [inner]}
    found = events(
        components=[{"type": "container", "name": "c", "components": [shell]}], services=[]
    )
    assert edges(found[3]) == [("image:c", "uses", "model:m")]
    assert edges(found[1]) == [("application:claims", "uses", "image:c")]


def test_a_document_about_a_model() -> None:
    found = events(
        metadata={"timestamp": "2026-03-04T05:06:07Z", "component": MODEL}, components=[]
    )
    assert keys(found[0])[0] == f"model:sha256:{HASH.lower()}"


def test_a_document_without_a_time_says_so() -> None:
    found = events(metadata={"component": ROOT})
    assert {one.time for one in found} == {0}
    assert all(one.attributes["time.unknown"] is True for one in found)


def test_a_version_beyond_64_bits_is_one(read: Any) -> None:  # noqa: ANN401 - a function
    said = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "library"}]}
    whole = orjson.dumps(said | {"version": "@"}).replace(b'"@"', b"9" * 30)
    assert [type(one.result).__name__ for one in read(cyclonedx, whole)] == ["Reject"]
    whole = whole.replace(b'"library"', b'"library","name":"x"')
    assert [type(one.result).__name__ for one in read(cyclonedx, whole)] == ["Parsed"]


def test_a_document_about_nothing() -> None:
    found = events(
        metadata=None, components=[LIBRARY], services=None, vulnerabilities=[{"id": "X-1"}]
    )
    assert [keys(one) for one in found] == [[], ["repo:unnamed"]]


def test_what_a_bill_of_nothing_says_waives_nothing_of_others() -> None:
    flaw = {"id": "CVE-2026-0001", "analysis": {"state": "not_affected"}}
    (found,) = events(metadata=None, components=None, services=None, vulnerabilities=[flaw])
    assert found.finding is not None
    assert found.finding.state == "resolved"
    assert "vulnerability.vex" not in found.attributes


def test_a_bill_whose_keys_are_sorted_has_its_name_at_the_end() -> None:
    bill = {"components": [LIBRARY] * 900, "dependencies": [], "bomFormat": "CycloneDX"}
    head = orjson.dumps(bill)[:65_536]
    assert b"bomFormat" not in head
    assert cyclonedx.sniff(head)


def test_data_is_where_it_lies() -> None:
    data = {"type": "dataset", "contents": {"url": "s3://letters/2026/"}}
    (_, found) = events(components=[{**DATA, "data": [data]}], services=None, vulnerabilities=None)
    assert found.entities[0].key == "dataset:s3/letters/2026"
    assert found.entities[0].name == "letters"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"bomFormat": "SPDX"}, "wrong-shape"),
        ({"specVersion": "2.0"}, "wrong-shape"),
        ({"specVersion": None}, "wrong-shape"),
        ({"components": {}}, "wrong-shape"),
        ({"metadata": {"timestamp": "2026-03-04"}}, "bad-time"),
        ({"metadata": {"timestamp": 7}}, "wrong-shape"),
    ],
)
def test_what_is_no_document(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        events(**changes)
    assert error.value.reason == reason


def test_components_inside_components_without_end() -> None:
    nested: dict[str, Any] = {"type": "library", "name": "x"}
    for _ in range(40):
        nested = {"type": "library", "name": "x", "components": [nested]}
    with pytest.raises(Unreadable) as error:
        events(components=[nested])
    assert error.value.reason == "too-deep"


@pytest.mark.parametrize("part", [{"type": "library"}, 7, None])
def test_what_is_no_part(part: object) -> None:
    with pytest.raises(Unreadable) as error:
        events(components=[part])
    assert error.value.reason == "wrong-shape"


def test_a_part_outside_a_document_is_none() -> None:
    with pytest.raises(Unreadable):
        cyclonedx.event(Raw(b"{}"), {}, EventEvidence(origin="x", sha256="00"))


def test_records_are_exact_slices() -> None:
    document = (
        b'{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"component": {"name" :"a"}},\n'
        b'"components":[ {"name":"b", "components":[{"name":  "c"}]} ]}'
    )
    assert [raw.data for raw in cyclonedx.split(document)] == [
        b'{"name" :"a"}',
        b'{"name":"b", "components":[{"name":  "c"}]}',
        b'{"name":  "c"}',
    ]


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (orjson.dumps(bom(), option=orjson.OPT_INDENT_2), True),
        (b'{"bomFormat":"SPDX"}', False),
        (b"<?xml", False),
    ],
)
def test_sniff(head: bytes, known: bool) -> None:  # noqa: FBT001 - a case
    assert cyclonedx.sniff(head) is known


@given(data=st.data())
def test_no_damage_is_a_crash(data: st.DataObject, read: Any, damaged: Any) -> None:  # noqa: ANN401
    read(cyclonedx, damaged(data, bom()))


@given(st.binary(max_size=200))
def test_no_bytes_are_a_crash(read: Any, document: bytes) -> None:  # noqa: ANN401
    cyclonedx.sniff(document)
    read(cyclonedx, document)


def test_a_bad_part_does_not_spoil_the_others(read: Any) -> None:  # noqa: ANN401
    bad, good = read(
        cyclonedx,
        orjson.dumps(bom(metadata=None, components=[{}, DATA], services=[], vulnerabilities=[])),
    )
    assert isinstance(bad.result, Reject)
    assert good.result.event.entities[0].key == "dataset:letters"

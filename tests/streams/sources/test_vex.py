"""VEX: what a bill, a statement or an advisory says has its effect, and no more than it says."""

from typing import Any

import orjson
import pytest

from schemas.event import Event
from streams.sources import cyclonedx, openvex, spdx
from tests.streams.sources.reports import found, refused, short, told

CVE = "CVE-2026-0001"
VEX = "vulnerability.vex"
DIGEST = "sha256:" + "ab" * 32
IMAGE = f"pkg:oci/app@{DIGEST}?repository_url=images.example/app"


def part(ref: str, state: str | None = None) -> dict[str, Any]:
    """A vulnerability of one part, as each scanner's export has a row of its own."""
    said = {"id": CVE, "affects": [{"ref": ref}]}
    return said if state is None else said | {"analysis": {"state": state}}


def bill(*flaws: dict[str, Any]) -> list[Event]:
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "metadata": {
            "timestamp": "2026-03-04T05:06:07Z",
            "component": {"type": "application", "name": "claims", "bom-ref": "app"},
        },
        "components": [
            {"type": "library", "name": name, "version": "1", "bom-ref": name}
            for name in ("ray", "torch")
        ],
        "vulnerabilities": list(flaws),
    }
    return told(cyclonedx, document)[3:]


@pytest.mark.parametrize(
    ("state", "closed"),
    [
        ("not_affected", True),
        ("false_positive", True),
        ("resolved", True),
        ("resolved_with_pedigree", True),
        ("exploitable", False),
        ("in_triage", False),
    ],
)
def test_an_analysis_in_a_bill_is_a_statement(state: str, closed: bool) -> None:  # noqa: FBT001
    (event,) = bill(part("ray", state))
    assert event.attributes[VEX] == state
    assert (found(event).state == "resolved") is closed


def test_a_vulnerability_without_an_analysis_is_no_statement() -> None:
    assert VEX not in bill(part("ray"))[0].attributes


def test_what_is_said_of_one_library_waives_nothing_while_another_is_affected() -> None:
    one, other = bill(part("ray", "not_affected"), part("torch", "exploitable"))
    assert found(one).state == "resolved"
    assert VEX not in one.attributes
    assert other.attributes[VEX] == "exploitable"
    one, other = bill(part("ray", "not_affected"), part("torch"))
    assert VEX not in one.attributes
    assert VEX not in other.attributes
    one, other = bill(part("ray", "not_affected"), part("torch", "false_positive"))
    assert (one.attributes[VEX], other.attributes[VEX]) == ("not_affected", "false_positive")


@pytest.mark.parametrize("ref", [IMAGE, f"urn:cdx:00000000-0000-0000-0000-000000000000/1#{IMAGE}"])
def test_a_reference_that_is_a_purl_of_an_image_speaks_of_it(ref: str) -> None:
    (event,) = bill(part(ref, "not_affected"))
    assert [one.key for one in event.entities] == [f"image:{DIGEST}", "application:claims"]


def statements(*said: dict[str, Any]) -> list[Event]:
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.com/vex-1",
        "author": "Example",
        "timestamp": "2026-03-04T05:06:07Z",
        "version": 1,
        "statements": list(said),
    }
    return told(openvex, document)


def of(package: str, status: str, **more: str) -> dict[str, Any]:
    product = {"@id": IMAGE, "subcomponents": [{"@id": package}]}
    return {"vulnerability": {"name": CVE}, "products": [product], "status": status} | more


def test_an_image_with_a_part_that_is_affected_is_affected() -> None:
    one, other = statements(
        of("pkg:pypi/ray@2", "not_affected", justification="component_not_present"),
        of("pkg:pypi/torch@2", "affected"),
    )
    assert VEX not in one.attributes
    assert other.attributes[VEX] == "affected"


def test_of_one_part_the_last_statement_holds() -> None:
    first, second = statements(
        of("pkg:pypi/ray@2", "under_investigation", timestamp="2026-03-04T05:06:07Z"),
        of("pkg:pypi/ray@2", "fixed", timestamp="2026-03-05T05:06:07Z"),
    )
    assert (first.attributes[VEX], second.attributes[VEX]) == ("under_investigation", "fixed")


def test_an_advisory_says_the_same_in_its_words() -> None:
    products = [{"product_id": "P1", "name": "Claims 3.1"}, {"product_id": "P2", "name": "Desk 1"}]
    advisory = {
        "document": {
            "category": "csaf_vex",
            "csaf_version": "2.0",
            "publisher": {"name": "Example", "category": "vendor"},
            "tracking": {"current_release_date": "2026-03-04T05:06:07Z"},
        },
        "product_tree": {"full_product_names": products},
        "vulnerabilities": [
            {
                "cve": CVE,
                "product_status": {"known_not_affected": ["P1"], "known_affected": ["P2"]},
            }
        ],
    }
    events = told(openvex, advisory)
    assert [(one.entities[0].id, one.attributes[VEX]) for one in events] == [
        ("Claims 3.1", "not_affected"),
        ("Desk 1", "affected"),
    ]


def graph(*said: tuple[str, str]) -> list[Event]:
    packages = [
        {"type": "software_Package", "spdxId": one, "name": one} for one in ("app", "ray", "torch")
    ]
    assessments = [
        {"type": kind, "spdxId": f"a-{n}", "from": "flaw", "to": [to]}
        for n, (kind, to) in enumerate(said)
    ]
    elements = [
        {"type": "CreationInfo", "created": "2026-03-04T05:06:07Z", "specVersion": "3.0.1"},
        {"type": "SpdxDocument", "spdxId": "doc", "name": "app", "rootElement": ["app"]},
        {"type": "security_Vulnerability", "spdxId": "flaw", "name": CVE},
        *packages,
        *assessments,
    ]
    context = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
    return [one for one in told(spdx, {"@context": context, "@graph": elements}) if one.finding]


def test_an_assessment_of_spdx_is_a_statement_too() -> None:
    well = "security_VexNotAffectedVulnAssessmentRelationship"
    ill = "security_VexAffectedVulnAssessmentRelationship"
    assert [one.attributes.get(VEX) for one in graph((well, "ray"))] == ["not_affected"]
    both = graph((well, "ray"), (ill, "torch"))
    assert [one.attributes.get(VEX) for one in both] == [None, "affected"]


def attested(kind: str, document: dict[str, Any]) -> dict[str, Any]:
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "app", "digest": {"sha256": "ab" * 32}}],
        "predicateType": kind,
        "predicate": document,
    }


def test_what_is_attested_is_read_as_it_is() -> None:
    vex = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "author": "Example",
        "timestamp": "2026-03-04T05:06:07Z",
        "statements": [of("pkg:pypi/ray@2", "fixed")],
    }
    assert [
        short(one) for one in told(openvex, attested("https://openvex.dev/ns/v0.2.0", vex))
    ] == [(CVE, "resolved", "informational", f"image:{DIGEST}")]
    app = {"type": "application", "name": "claims"}
    boms = {"bomFormat": "CycloneDX", "specVersion": "1.5", "metadata": {"component": app}}
    (event,) = told(cyclonedx, attested("https://cyclonedx.org/bom", boms))
    assert event.entities[0].key == "application:claims"
    packages = [{"SPDXID": "SPDXRef-a", "name": "claims", "versionInfo": "1"}]
    old = {"spdxVersion": "SPDX-2.3", "name": "claims", "packages": packages}
    (event,) = told(spdx, attested("https://spdx.dev/Document", old))
    assert event.entities[0].key == "application:claims"


@pytest.mark.parametrize("document", [{"predicateType": "x", "predicate": 7}, {"predicateType": 7}])
def test_an_attestation_of_nothing(document: dict[str, Any]) -> None:
    assert refused(openvex, orjson.dumps(document))[0] == "wrong-shape"

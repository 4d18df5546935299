import pytest

from schemas.event import EventEvidence
from schemas.times import rfc3339
from streams.source import Raw
from streams.sources import openai
from tests.streams.sources.parsed import edges, events, keys, reasons

LENA = "principal:lena@example.com"


def test_a_key_that_was_made() -> None:
    event = events("openai.json")[0]
    assert (event.uid, rfc3339(event.time)) == (
        "audit_log-example001",
        "2026-03-04T05:06:01.000000Z",
    )
    assert (event.class_name, event.activity, event.status) == (
        "API Activity",
        "api_key.created",
        "success",
    )
    assert event.actor is not None
    assert event.actor.key == LENA
    assert event.client is not None
    assert (event.client.ip, event.client.user_agent) == ("203.0.113.7", "Mozilla/5.0")
    assert keys(event) == ["apikey:key_example2", LENA, "account:proj_example1"]
    assert edges(event) == [f"{LENA} owns apikey:key_example2"]
    assert event.attributes == {
        "api.operation": "api_key.created",
        "api.service": "api.openai.com",
        "client.asn": "64500",
        "client.country": "DE",
        "client.ja4": "t13d1516h2_example",
        "gen_ai.provider.name": "openai",
        "openai.actor.type": "session",
        "openai.project.id": "proj_example1",
        "openai.resource.id": "key_example2",
        "openai.scopes": ["api.model.request"],
    }


def test_what_each_type_is_about() -> None:
    assert [(one.activity, keys(one)[0]) for one in events("openai.json")] == [
        ("api_key.created", "apikey:key_example2"),
        ("api_key.deleted", "apikey:key_example2"),
        ("login.failed", LENA),
        ("role.assignment.created", "principal:user-2example"),
        ("organization.updated", "account:org-example"),
        ("rate_limit.updated", LENA),
        ("service_account.created", "principal:sa-example2"),
        ("invite.sent", "principal:new@example.com"),
        ("ip_allowlist.config.deactivated", LENA),
        ("checkpoint.permission.created", "model:ft:model-example:org::1"),
        ("scim.disabled", "account:org-example"),
        ("a.type.of.tomorrow", LENA),
    ]


def test_a_key_that_is_gone_is_owned_no_more() -> None:
    assert edges(events("openai.json")[1]) == [f"{LENA} owns apikey:key_example2 ended"]


def test_a_login_is_an_authentication() -> None:
    event = events("openai.json")[2]
    assert (event.class_uid, event.class_name, event.status) == (3002, "Authentication", "failure")
    assert event.attributes["error.code"] == "invalid_credentials"


def test_a_service_account_and_its_key() -> None:
    event = events("openai.json")[3]
    assert event.actor is not None
    assert event.actor.key == "principal:sa-example1"
    assert event.client is None
    assert edges(event) == ["principal:sa-example1 owns apikey:key_example1"]
    assert event.attributes["openai.role"] == "role-api-organization-owner"


def test_of_a_change_the_names_are_kept() -> None:
    assert events("openai.json")[4].attributes["openai.changes"] == ["api_call_logging", "title"]


def test_lines_are_read_as_a_page_is() -> None:
    assert [one.uid for one in events("openai.lines.jsonl")] == [
        one.uid for one in events("openai.json")[:3]
    ]


def test_what_is_no_object_of_the_log() -> None:
    assert reasons("openai.bad.json") == ["no-time", "bad-time", "wrong-shape", "bad-time"]


def test_what_is_deleted_is_gone() -> None:
    found = events("openai.json")
    gone = [one.activity for one in found if one.attributes.get("asset.state") == "deleted"]
    assert gone == ["api_key.deleted"]


@pytest.mark.parametrize("kind", ["rate_limit.deleted", "checkpoint.permission.deleted"])
def test_a_model_stays_when_what_was_said_of_it_goes(kind: str) -> None:
    details = {"id": "x", "data": {"fine_tuned_model_checkpoint": "ft:m"}}
    record = {"type": kind, "effective_at": 1772600762, "actor": {}, kind: details}
    evidence = EventEvidence(origin="file:x#1", sha256="0" * 64)
    found = openai.event(Raw(b""), record, evidence).event
    assert "asset.state" not in found.attributes

from typing import Any

import pytest

from schemas.event import Event, EventEvidence
from schemas.times import rfc3339
from streams.source import Raw
from streams.sources import anthropic
from tests.streams.sources.parsed import edges, events, keys, reasons

LENA = "principal:lena@example.com"


def test_a_chat() -> None:
    event = events("anthropic.json")[0]
    assert (event.uid, rfc3339(event.time)) == ("activity_example01", "2026-03-04T05:06:01.000000Z")
    assert (event.class_name, event.activity, event.status) == (
        "API Activity",
        "claude_chat_created",
        "success",
    )
    assert event.actor is not None
    assert event.actor.key == LENA
    assert event.client is not None
    assert (event.client.ip, event.client.user_agent) == ("203.0.113.7", "Mozilla/5.0")
    assert keys(event) == [
        "session:claude_chat_example1",
        "application:claude_proj_example1",
        LENA,
        "account:org_example",
    ]
    assert event.edges == ()
    assert event.attributes == {
        "anthropic.actor.type": "user_actor",
        "api.operation": "claude_chat_created",
        "api.service": "api.anthropic.com",
        "cloud.account.id": "org_example",
        "gen_ai.conversation.id": "claude_chat_example1",
        "gen_ai.provider.name": "anthropic",
        "user.id": "user_example1",
    }


def test_connectors_and_skills_are_used_by_the_organisation_until_they_are_deleted() -> None:
    found = events("anthropic.json")
    assert edges(found[1]) == ["account:org_example uses mcp_server:mcp.example/files"]
    assert edges(found[2]) == ["account:org_example uses mcp_server:mcpsrv_example2 ended"]
    assert edges(found[12]) == ["account:org_example uses skill:skill_example1"]


def test_a_key_belongs_to_who_made_it_until_it_is_deleted() -> None:
    found = events("anthropic.json")
    assert edges(found[4]) == [f"{LENA} owns apikey:apikey_example1"]
    assert edges(found[5]) == [f"{LENA} owns apikey:apikey_example2 ended"]


def test_who_acts() -> None:
    actors = [(one.actor.key if one.actor else None) for one in events("anthropic.json")]
    assert actors[7:11] + actors[13:] == [
        "apikey:apikey_example3",
        "principal:who@example.com",
        "principal:dir_example",
        "principal:anthropic",
        "apikey:apikey_example4",
        LENA,
        "principal:retention",
    ]


def test_what_failed_and_who_could_not_get_in() -> None:
    refused, login = events("anthropic.json")[7:9]
    assert (refused.class_uid, refused.status) == (6003, "failure")
    assert (login.class_uid, login.status) == (3002, "failure")


def test_details_that_rules_ask_for() -> None:
    found = events("anthropic.json")
    assert found[6].attributes["anthropic.audience"] == ["public"]
    assert found[10].attributes["anthropic.enabled"] is False
    assert found[11].attributes["anthropic.role"] == "admin"
    assert keys(found[11])[0] == "principal:user_example2"
    assert keys(found[3])[:2] == ["tool:mcpsrv_example2/send", "mcp_server:mcpsrv_example2"]


def test_what_is_no_activity() -> None:
    assert reasons("anthropic.bad.json") == ["no-time", "bad-time", "wrong-shape", "wrong-shape"]


def activity(kind: str, **more: Any) -> Event:  # noqa: ANN401 - JSON
    record: dict[str, Any] = {
        "id": "activity_1",
        "created_at": "2026-03-04T05:06:01Z",
        "organization_id": "org_example",
        "actor": {"type": "user_actor", "email_address": "lena@example.com"},
        "type": kind,
    }
    return anthropic.event(
        Raw(b""), record | more, EventEvidence(origin="file:x#1", sha256="0" * 64)
    ).event


@pytest.mark.parametrize(
    ("kind", "more", "gone"),
    [
        ("admin_api_key_deleted", {"admin_api_key_id": "k"}, True),
        ("claude_skill_deleted", {"skill_id": "s"}, True),
        ("claude_chat_deleted", {"claude_chat_id": "c", "claude_project_id": "p"}, True),
        ("claude_project_deleted", {"claude_project_id": "p"}, True),
        ("platform_skill_version_deleted", {"skill_id": "s", "version": "2"}, False),
        ("claude_project_document_deleted", {"claude_project_id": "p"}, False),
        ("claude_project_file_deleted", {"claude_project_id": "p"}, False),
        ("platform_workspace_rate_limit_deleted", {"workspace_id": "w"}, False),
        ("claude_chat_deletion_failed", {"claude_chat_id": "c"}, False),
        ("mcp_server_deleted", {"mcp_server_id": "m"}, False),
    ],
)
def test_what_is_deleted_is_gone(kind: str, more: dict[str, str], gone: bool) -> None:  # noqa: FBT001 - a case
    found = activity(kind, **more)
    assert found.attributes.get("asset.state") == ("deleted" if gone else None)


def test_a_skill_is_used_after_one_version_of_it_is_gone() -> None:
    assert edges(activity("platform_skill_version_deleted", skill_id="s", version="2")) == []


@pytest.mark.parametrize(
    ("kind", "more", "whom"),
    [
        ("org_user_deleted", {"deleted_user_id": "u", "deleted_user_email": "Bo@b.example"}, "bo@"),
        ("org_user_invite_sent", {"invited_email": "bo@b.example", "invited_role": "x"}, "bo@"),
    ],
)
def test_whom_it_is_about(kind: str, more: dict[str, str], whom: str) -> None:
    assert keys(activity(kind, **more))[0] == f"principal:{whom}b.example"


@pytest.mark.parametrize(("code", "status"), [(200, "success"), (403, "failure")])
def test_a_call_of_the_api_itself_may_be_refused(code: int, status: str) -> None:
    assert activity("compliance_api_accessed", status_code=code).status == status

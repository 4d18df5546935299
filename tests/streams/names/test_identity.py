from typing import Any

import pytest

from schemas.entity import Entity
from streams.names.identity import caller, chain, link, metadata
from tests.streams.sources.parsed import said

ROLE = Entity(kind="principal", id="arn:aws:iam::111122223333:role/Triage")


def session(name: str) -> str:
    return f"arn:aws:sts::111122223333:assumed-role/Triage/{name}"


@pytest.mark.parametrize(
    ("arn", "word"),
    [
        ("arn:aws:iam::111122223333:user/lena", "user"),
        ("arn:aws:iam::111122223333:root", "user"),
        ("arn:aws:sts::111122223333:federated-user/lena", "user"),
        (session("lena@example.com"), "role_session"),
        (session("nightly-claims"), "role_session"),
        (session("botocore-session-1772600762"), "role_only"),
        (session("i-0123456789abcdef0"), "role_only"),
        (session("1772600762123"), "role_only"),
        (session("aws-sdk-js-1772600762"), "role_only"),
        (session("00000000-0000-4000-8000-000000000001"), "role_only"),
        (session("session"), "role_only"),
        (session(""), "role_only"),
        ("arn:aws:iam::111122223333:role/Triage", "role_only"),
        ("Triage", "role_only"),
        (None, "role_only"),
    ],
)
def test_what_ties_a_call_to_its_caller(arn: str | None, word: str) -> None:
    known = caller(arn)
    assert known.link == word
    assert (known.session is not None) is (word == "role_session")


def test_a_source_identity_is_surer_than_the_name_of_a_session() -> None:
    named, sworn = caller(session("lena@example.com")), caller(session("x-1"), "Lena@example.com")
    assert named.person == sworn.person == Entity(kind="principal", id="lena@example.com")
    assert (named.confidence, sworn.confidence) == (0.7, 0.95)
    assert caller(session("nightly-claims")).person is None


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ({"gen_ai.conversation.id": "c", "trace.id": "t"}, "request_metadata"),
        ({"service.name": "claims"}, "request_metadata"),
        ({"trace.id": "t"}, "trace"),
        ({"aws.bedrock.request_metadata": {"team": "x"}}, "role_only"),
        ({}, "role_only"),
    ],
)
def test_what_a_request_adds_where_only_the_role_is_known(told: dict[str, Any], word: str) -> None:
    assert link(caller(session("i-0123456789abcdef0")), told) == word
    assert link(caller(session("lena@example.com")), told) == "role_session"


def test_the_chain() -> None:
    key, conversation = Entity(kind="apikey", id="ASIA1"), Entity(kind="session", id="c-7")
    own = f"session:{session('lena@example.com')}"
    assert list(map(said, chain(caller(session("lena@example.com")), ROLE, key, conversation))) == [
        f"{ROLE.key} assumes {own}",
        f"principal:lena@example.com assumes {own} 0.7",
        f"{own} owns apikey:ASIA1",
        f"{own} carries session:c-7 0.6",
    ]
    nameless = caller(session("botocore-session-1"))
    assert list(map(said, chain(nameless, ROLE, key, conversation))) == [
        f"{ROLE.key} carries session:c-7 0.6"
    ]
    assert list(chain(nameless, None, key, conversation)) == []


def test_metadata_however_its_keys_are_written() -> None:
    pairs = {"Session-ID": "s", "user_name": "lena", "AppName": "claims", "x-amzn-trace-id": "t"}
    assert metadata(pairs) == {
        "gen_ai.conversation.id": "s",
        "enduser.id": "lena",
        "service.name": "claims",
        "trace.id": "t",
        "aws.bedrock.request_metadata": pairs,
    }
    assert metadata(["odd"], "user_0_account__session_" + "0" * 32) == {
        "gen_ai.conversation.id": "0" * 32
    }
    assert metadata(None, 7) == {}

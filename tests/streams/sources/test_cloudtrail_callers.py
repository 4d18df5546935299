"""Who is behind a call that CloudTrail tells, and what the call makes."""

from typing import Any

import pytest

from tests.streams.sources.test_cloudtrail import ROLE, edges, event, keys

ASSUMED = "arn:aws:sts::111122223333:assumed-role/Pipeline"
SESSION: dict[str, Any] = {
    "type": "AssumedRole",
    "arn": f"{ASSUMED}/lena@example.com",
    "accessKeyId": "ASIAEXAMPLE0000001",
    "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE}},
}


def test_from_a_role_over_its_session_to_its_key() -> None:
    found = event(userIdentity=SESSION, requestID="req-1")
    session = f"session:{SESSION['arn']}"
    assert edges(found) == [
        (f"principal:{ROLE}", "owns", "apikey:ASIAEXAMPLE0000001"),
        (f"principal:{ROLE}", "calls", "model:vendor.writer-v1:0"),
        (f"principal:{ROLE}", "assumes", session),
        ("principal:lena@example.com", "assumes", session),
        (session, "owns", "apikey:ASIAEXAMPLE0000001"),
    ]
    assert [one.confidence for one in found.edges] == [None, None, None, 0.7, None]
    assert keys(found)[-2:] == [session, "principal:lena@example.com"]
    assert found.attributes["identity.link"] == "role_session"
    assert found.attributes["aws.request_id"] == "req-1"


@pytest.mark.parametrize(
    ("identity", "link"),
    [
        (
            SESSION | {"arn": "arn:aws:sts::111122223333:assumed-role/Pipeline/i-0ab1"},
            "role_session",
        ),
        (
            SESSION | {"arn": "arn:aws:sts::111122223333:assumed-role/Pipeline/i-0ab12345"},
            "role_only",
        ),
        ({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/lena"}, "user"),
        ({"type": "AWSService", "invokedBy": "bedrock.amazonaws.com"}, None),
    ],
)
def test_where_only_the_role_is_known_it_says_so(
    identity: dict[str, Any], link: str | None
) -> None:
    assert event(userIdentity=identity).attributes.get("identity.link") == link


def test_who_assumed_a_role() -> None:
    answered = {
        "credentials": {"accessKeyId": "ASIAEXAMPLE0000009", "sessionToken": "x"},
        "assumedRoleUser": {"arn": SESSION["arn"], "assumedRoleId": "AROAEXAMPLE:lena@example.com"},
    }
    asked = {"roleArn": "arn:aws:iam::111122223333:role/teams/Pipeline", "roleSessionName": "l"}
    user = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/lena"}
    sts = {"eventSource": "sts.amazonaws.com", "eventName": "AssumeRole", "userIdentity": user}
    found = event(**sts, requestParameters=asked, responseElements=answered)
    session = f"session:{SESSION['arn']}"
    assert keys(found)[0] == f"principal:{ROLE}"
    assert edges(found) == [
        (f"principal:{ROLE}", "assumes", session),
        ("principal:arn:aws:iam::111122223333:user/lena", "assumes", session),
        (session, "owns", "apikey:ASIAEXAMPLE0000009"),
    ]
    assert edges(event(**sts, requestParameters=asked, responseElements=None)) == []


def test_a_key_of_bedrock_is_the_one_that_iam_made() -> None:
    user = "arn:aws:iam::111122223333:user/BedrockAPIKey-x1"
    identity = {"type": "IAMUser", "arn": user, "credentialId": "ACCAEXAMPLE01"}
    found = event(userIdentity=identity, additionalEventData={"callWithBearerToken": True})
    assert edges(found)[0] == (f"principal:{user}", "owns", "apikey:ACCAEXAMPLE01")


def test_other_services_say_nothing_of_sessions() -> None:
    found = event(eventSource="ec2.amazonaws.com", userIdentity=SESSION)
    assert "identity.link" not in found.attributes
    assert [relation for _, relation, _ in edges(found)] == ["owns"]


def test_what_a_call_makes() -> None:
    asked = {"endpointName": "claims", "endpointConfigName": "claims-2"}
    made = {"eventSource": "sagemaker.amazonaws.com", "requestParameters": asked}
    found = event(eventName="CreateEndpoint", **made)
    assert keys(found)[:2] == ["endpoint:claims", "endpoint:config/claims-2"]
    assert edges(found)[1:] == [
        ("account:111122223333", "hosts", "endpoint:claims"),
        ("endpoint:claims", "serves", "endpoint:config/claims-2"),
    ]
    assert [one.declared for one in found.edges] == [False, True, True]
    refused = event(eventName="CreateEndpoint", errorCode="AccessDenied", **made)
    assert keys(refused)[0] == "endpoint:claims"
    assert [relation for _, relation, _ in edges(refused)] == ["owns"]
    gone = event(eventName="DeleteEndpoint", **made)
    assert [one.state for one in gone.edges] == ["open", "closed"]

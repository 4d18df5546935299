from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from schemas.config import Limits
from schemas.event import Event, Reject
from schemas.times import rfc3339
from streams.reading import Reader
from streams.source import named


def read(source: str, document: Any) -> Iterator[Event | Reject]:  # noqa: ANN401 - JSON
    for outcome in Reader(named(source), "file:x", Limits()).read(orjson.dumps(document), 0):
        result = outcome.result
        yield result if isinstance(result, Reject) else result.event


def key(number: int, **said: str) -> dict[str, str]:
    return {
        "UserName": "mara",
        "AccessKeyId": f"AKIAEXAMPLE{number}",
        "Status": "Active",
        "CreateDate": f"2025-01-0{number}T00:00:00+00:00",
        **said,
    }


def told(event: Event | Reject) -> tuple[str, str]:
    assert isinstance(event, Event)
    return event.entities[0].id, rfc3339(event.time)[:10] if event.time else "undated"


def test_the_oldest_first() -> None:
    """So that none is late; a key is as old as its last use."""
    used = key(1, LastUsedDate="2026-03-01T00:00:00+00:00")
    answer = {"AccessKeyMetadata": [used, key(3), key(2), key(4, CreateDate="soon")]}
    assert list(map(told, read("aws_inventory", answer))) == [
        ("AKIAEXAMPLE4", "undated"),
        ("AKIAEXAMPLE2", "2025-01-02"),
        ("AKIAEXAMPLE3", "2025-01-03"),
        ("AKIAEXAMPLE1", "2026-03-01"),
    ]


def test_undated_is_said() -> None:
    (event,) = read("aws_inventory", key(1, CreateDate=""))
    assert isinstance(event, Event)
    assert (event.time, event.attributes["time.unknown"]) == (0, True)
    assert "asset.created" not in event.attributes


@pytest.mark.parametrize(
    "answer",
    [
        key(1),
        [key(1)],
        {"AccessKeyMetadata": [key(1)], "IsTruncated": False},
        [{"AccessKeyMetadata": [key(1)]}, {"AccessKeyMetadata": []}],
    ],
)
def test_however_it_is_wrapped(answer: Any) -> None:  # noqa: ANN401 - JSON
    assert named("aws_inventory").sniff(orjson.dumps(answer))
    assert list(map(told, read("aws_inventory", answer))) == [("AKIAEXAMPLE1", "2025-01-01")]


def notebook(root: str) -> dict[str, str]:
    return {
        "NotebookInstanceName": "lab",
        "NotebookInstanceArn": "arn:aws:sagemaker:eu-west-1:111122223333:notebook-instance/lab",
        "RootAccess": root,
    }


def test_a_weakness_that_is_mended_is_closed() -> None:
    before, after = (list(read("aws_inventory", notebook(w)))[1] for w in ("Enabled", "Disabled"))
    assert isinstance(before, Event)
    assert isinstance(after, Event)
    assert before.finding is not None
    assert after.finding is not None
    assert (before.finding.state, after.finding.state) == ("open", "resolved")
    assert before.finding.uid == after.finding.uid


def test_what_a_list_leaves_out_is_no_weakness() -> None:
    """`list-models` names a model and says nothing of its network or its key."""
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:model/m"
    (event,) = read("aws_inventory", {"Models": [{"ModelName": "m", "ModelArn": arn}]})
    assert told(event) == ("m", "undated")


def test_a_thing_that_is_gone_has_no_edges_and_no_weakness() -> None:
    domain = {
        "DomainId": "1/v",
        "DomainName": "v",
        "ARN": "arn:aws:es:eu-west-1:111122223333:domain/v",
        "Deleted": True,
        "EncryptionAtRestOptions": {"Enabled": False},
    }
    first, *checks = read("aws_inventory", domain)
    assert isinstance(first, Event)
    assert (first.attributes["asset.state"], first.edges) == ("deleted", ())
    assert {one.finding.state for one in checks if isinstance(one, Event) and one.finding} == {
        "resolved"
    }


def test_tags_say_whose_a_thing_is_and_what_is_in_it() -> None:
    bucket = {
        "kind": "storage#bucket",
        "name": "letters",
        "labels": {"TEAM": "claims", "data_classification": "Personal", "color": "red"},
    }
    event = next(read("gcp_inventory", bucket))
    assert isinstance(event, Event)
    assert event.attributes["asset.owner"] == "claims"
    assert event.attributes["asset.data"] == "personal"


@pytest.mark.parametrize("odd", [[], {}, 7, None, [["allUsers"]]])
def test_odd_members_of_a_policy_are_nobody(odd: Any) -> None:  # noqa: ANN401 - JSON
    bindings = [{"role": "r", "members": [odd]}]
    policy = {"resource": "//x.googleapis.com/projects/p", "policy": {"bindings": bindings}}
    table = {"tableReference": {"projectId": "p", "datasetId": "d"}, "access": [{"iamMember": odd}]}
    for answer in (policy, table):
        _, check = read("gcp_inventory", answer)
        assert isinstance(check, Event)
        assert check.finding is not None
        assert check.finding.state == "resolved"

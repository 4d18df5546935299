from pathlib import Path

import orjson

from schemas.config import Limits
from schemas.event import Reject
from streams.reading import Reader
from streams.source import named, sniffed
from tests.streams.sources.shown import read, rejected, shown


def test_openai() -> None:
    assert [shown(event) for event in read("ai_platform.jsonl")] == [
        {
            "is": "User Inventory Info: Collect",
            "time": "2026-03-04T04:53:20.000000Z",
            "status": "success",
            "of": ["principal:lena@example.com", "principal:user-0001"],
            "edges": ["principal:lena@example.com same_as principal:user-0001"],
            "asset.role": "owner",
        },
        {
            "is": "Cloud Resources Inventory Info: Collect",
            "time": "2026-03-04T04:53:21.000000Z",
            "status": "success",
            "of": ["account:proj_0001"],
            "asset.status": "active",
        },
        {
            "is": "Cloud Resources Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": ["apikey:key_0001", "principal:user-0001", "account:proj_0001"],
            "edges": [
                "principal:user-0001 owns apikey:key_0001",
                "account:proj_0001 hosts apikey:key_0001",
            ],
        },
        {
            "is": "User Inventory Info: Collect",
            "time": "2026-03-04T04:53:23.000000Z",
            "status": "success",
            "of": ["principal:user-0002", "account:proj_0001"],
            "edges": ["principal:user-0002 member_of account:proj_0001"],
            "asset.role": "member",
        },
    ]


def test_anthropic() -> None:
    person, workspace, member, key = map(shown, read("ai_platform.anthropic.json"))
    assert person["edges"] == ["principal:lena@example.com same_as principal:user_0001"]
    assert (workspace["of"], workspace["asset.state"]) == (["account:wrkspc_0001"], "deleted")
    assert workspace["time"] == "2026-03-05T00:00:00.000000Z"
    assert member["edges"] == ["principal:user_0001 member_of account:wrkspc_0001"]
    assert key["edges"] == [
        "principal:user_0001 owns apikey:apikey_0001",
        "account:wrkspc_0001 hosts apikey:apikey_0001",
    ]


def test_what_is_neither() -> None:
    assert rejected("ai_platform.bad.json") == [
        ("wrong-shape", "an object is a user, project, workspace, member or key"),
        ("wrong-shape", "a organization.user has an id"),
    ]


def test_answers_of_others(shared: Path) -> None:
    """Lists that a graph of assets reads: all of them, each by its content alone."""
    counts: dict[str, int] = {}
    for folder in ("anthropic", "openai"):
        for path in sorted((shared / "corpora/inventory/cartography" / folder).glob("*.json")):
            for name, objects in orjson.loads(path.read_bytes()).items():
                document = orjson.dumps(objects)
                source = sniffed(document)
                assert source is not None, name
                assert source is named("ai_platform")
                found = list(Reader(source, "file:x", Limits()).read(document, 0))
                assert not [one for one in found if isinstance(one.result, Reject)]
                counts[name] = len(found)
    assert counts == {
        "ANTHROPIC_USERS": 2,
        "ANTHROPIC_WORKSPACES": 1,
        "ANTHROPIC_WORKSPACES_MEMBERS": 2,
        "OPENAI_ADMINAPIKEYS": 2,
        "OPENAI_APIKEYS": 2,
        "OPENAI_PROJECTS": 1,
        "OPENAI_PROJECTS_MEMBERS": 2,
        "OPENAI_SERVICEACCOUNTS": 1,
        "OPENAI_USERS": 2,
    }


def test_the_owner_of_a_key_goes_by_the_address_where_it_is_said() -> None:
    owner = {"type": "user", "user": {"id": "user-0001", "email": "Lena@example.com"}}
    key = {"object": "organization.project.api_key", "id": "key_0001", "created_at": 1772600767}
    source = named("ai_platform")
    reader = Reader(source, "file:x", Limits())
    (outcome,) = reader.read(orjson.dumps(key | {"owner": owner}), 0)
    assert not isinstance(outcome.result, Reject)
    assert shown(outcome.result.event)["edges"] == [
        "principal:lena@example.com same_as principal:user-0001",
        "principal:lena@example.com owns apikey:key_0001",
    ]

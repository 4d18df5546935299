"""Records: frozen, exact, and the same ids on every machine."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.alert import Alert
from schemas.canonical import body_sha256, canonical, digest
from schemas.config import Config
from schemas.convergence import Convergence, Leg
from schemas.correlation import Correlation
from schemas.detection import Detection, Logsource
from schemas.entity import KINDS, MAX_ID, Entity, image, principal
from schemas.event import Event, Late, Record, Reject
from schemas.finding import Finding, Signal

RECORDS = [Event, Signal, Finding, Alert, Reject, Late, Detection, Correlation, Convergence, Config]
EVENT: dict[str, Any] = {
    "uid": "e1",
    "time": "2026-01-05T12:00:00.000001Z",
    "source": "trivy",
    "class_uid": 2002,
    "class_name": "Vulnerability Finding",
    "activity": "Create",
    "status": "unknown",
    "severity": "high",
    "message": "",
    "entities": [{"kind": "image", "id": "sha256:aa"}],
    "edges": [
        {
            "from": {"kind": "workload", "id": "w"},
            "relation": "runs_image",
            "to": {"kind": "image", "id": "sha256:aa"},
            "declared": False,
            "state": "open",
        }
    ],
    "attributes": {},
    "evidence": {"origin": "file:x#1", "sha256": "0" * 64},
}
USE = {"class": "runtime", "of": ("use",)}


# All records


def test_a_body_is_what_was_read_and_what_is_unknown_is_absent() -> None:
    event = Event.model_validate(EVENT)
    assert event.body() == EVENT
    assert Event.model_validate(event.body()) == event
    assert event.edges[0].from_.key == "workload:w"


some_text = st.none() | st.text(max_size=9)
entities = st.fixed_dictionaries(
    {"kind": st.sampled_from(KINDS), "id": st.text(min_size=1, max_size=9), "name": some_text}
)
edges = st.fixed_dictionaries(
    {
        "from": entities,
        "relation": st.text(max_size=9),
        "to": entities,
        "declared": st.booleans(),
        "confidence": st.none() | st.floats(0, 1),
    }
)
stated = st.fixed_dictionaries(
    {
        "time": st.integers(0, 2**52),
        "actor": st.none() | entities,
        "client": st.none() | st.fixed_dictionaries({"ip": some_text, "user_agent": some_text}),
        "entities": st.lists(entities, max_size=3),
        "edges": st.lists(edges, max_size=2),
        "finding": st.none()
        | st.fixed_dictionaries({"uid": st.just("f"), "title": st.text(), "check": some_text}),
        "attributes": st.dictionaries(st.text(), st.none() | st.lists(st.integers() | st.text())),
    }
)


@given(stated)
def test_a_body_of_an_event_is_what_pydantic_makes_of_it_key_by_key(more: dict[str, Any]) -> None:
    event = Event.model_validate(EVENT | more)
    dumped = event.model_dump(mode="json", by_alias=True, exclude_none=True)

    assert json.dumps(event.body()) == json.dumps(dumped)


def test_a_record_is_frozen() -> None:
    event = Event.model_validate(EVENT)
    with pytest.raises(ValidationError, match="frozen"):
        event.uid = "e2"  # type: ignore[misc]  # what this test is about


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_a_record_takes_no_field_that_it_does_not_name(record: type[Record]) -> None:
    with pytest.raises(ValidationError) as caught:
        record.model_validate({"surprise": 1})
    assert ("surprise",) in [
        error["loc"] for error in caught.value.errors() if error["type"] == "extra_forbidden"
    ]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_a_record_has_a_json_schema_that_is_as_strict(record: type[Record]) -> None:
    schema = record.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    objects = [part for part in parts if part.get("type") == "object"]
    objects = [part for part in objects if part["title"] != "AnySink"]  # its kind judges the rest
    assert objects
    assert all(part["additionalProperties"] is False for part in objects)
    assert all(part.get("description") for part in objects)


def test_a_schema_has_the_names_and_forms_of_the_json() -> None:
    schema = Event.model_json_schema(mode="serialization")
    assert schema["properties"]["time"]["format"] == "date-time"
    assert {"from", "to"} <= schema["$defs"]["Edge"]["properties"].keys()


# Canonical identity


def test_equal_values_have_one_text() -> None:
    assert canonical({"b": 1, "a": [1.0, "ä", None, True]}) == (
        b'{"a":[1.0,"\xc3\xa4",null,true],"b":1}'
    )


@given(st.dictionaries(st.text(max_size=5), st.integers(-9, 9), max_size=4))
def test_the_order_of_keys_is_nothing(value: dict[str, int]) -> None:
    orders = (dict(items) for items in permutations(value.items()))
    assert len({canonical(order) for order in orders}) == 1


def test_an_id_is_its_content() -> None:
    assert digest("signal", "use", "e1") == "0308e3e11b3be729e2085e6fb4c4b552"
    assert digest("signal", ["use", "e1"]) == "e752fcd25cccbd285667d591184b6490"
    assert digest("a", "bc") != digest("ab", "c")


def test_a_body_hash_leaves_out_itself_and_what_may_differ_between_runs() -> None:
    whole = body_sha256({"a": 1, "meta": {"revision": 7}, "body_sha256": "x"})
    assert whole == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    assert body_sha256({"a": 1}) == whole
    assert body_sha256({"a": 2}) != whole


# Entities


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_key(kind: Any) -> None:  # noqa: ANN401 - a Kind
    assert Entity(kind=kind, id="x:y").key == f"{kind}:x:y"


def test_equal_entities_are_one_in_a_set() -> None:
    tool = Entity(kind="tool", id="x")
    assert len({tool, Entity(kind="tool", id="x")}) == 1
    for other in (Entity(kind="agent", id="x"), Entity(kind="tool", id="x", name="X"), "tool:x"):
        assert tool != other


@pytest.mark.parametrize("id_", ["", "x" * (MAX_ID + 1)])
def test_an_id_is_bounded(id_: str) -> None:
    with pytest.raises(ValidationError):
        Entity(kind="model", id=id_)


@pytest.mark.parametrize(
    ("arn", "id_"),
    [
        (
            "arn:aws:sts::111122223333:assumed-role/Pipeline/run-7",
            "arn:aws:iam::111122223333:role/Pipeline",
        ),
        ("arn:aws:iam::111122223333:role/Pipeline", "arn:aws:iam::111122223333:role/Pipeline"),
        ("arn:aws:iam::111122223333:user/ann", "arn:aws:iam::111122223333:user/ann"),
        ("arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:root"),
        ("arn:aws:sts::111122223333:assumed-role", "arn:aws:sts::111122223333:assumed-role"),
        ("ann", "ann"),
        ("x" * 600, "x" * MAX_ID),
    ],
)
def test_sessions_of_one_role_are_one_principal(arn: str, id_: str) -> None:
    assert principal(arn) == Entity(kind="principal", id=id_)


@pytest.mark.parametrize(
    ("reference", "id_"),
    [
        ("images.example/Chat:1@sha256:AA11", "sha256:aa11"),
        ("images.example/Chat:1", "images.example/chat:1"),
        ("chat@", "chat@"),
    ],
)
def test_an_image_is_its_digest_where_it_has_one(reference: str, id_: str) -> None:
    assert image(reference) == Entity(kind="image", id=id_, name=reference)


def test_an_image_of_the_hub_has_one_name() -> None:
    names = ("nginx:1.27", "docker.io/nginx:1.27", "index.docker.io/library/nginx:1.27")
    assert {image(name).id for name in names} == {"nginx:1.27"}
    assert image("docker.io/team/app:2").id == "team/app:2"


# Rules as data


@pytest.mark.parametrize(
    ("rule", "source", "implied"),
    [
        (Logsource(), Logsource(product="aws"), True),
        (Logsource(product="aws"), Logsource(product="aws", service="cloudtrail"), True),
        (Logsource(product="aws", service="cloudtrail"), Logsource(product="aws"), False),
        (Logsource(product="aws"), Logsource(product="gcp"), False),
        (Logsource(category="api_activity"), Logsource(product="aws"), False),
    ],
)
def test_a_rule_runs_where_the_source_is_all_that_it_names(
    rule: Logsource,
    source: Logsource,
    implied: bool,  # noqa: FBT001 - a case
) -> None:
    assert rule.implied_by(source) is implied


@pytest.mark.parametrize(
    ("leg", "message"),
    [
        ({"class": "posture"}, "a posture leg needs `fact` and `on`"),
        ({"class": "posture", "fact": "f"}, "a posture leg needs `fact` and `on`"),
        ({"class": "runtime"}, "a leg needs exactly one of `of` and `levels`"),
        (
            {"class": "runtime", "of": ["a"], "levels": ["high"]},
            "a leg needs exactly one of `of` and `levels`",
        ),
        ({**USE, "absent": True, "within": "5m"}, "an absent leg needs `since` and `within`"),
        ({**USE, "at_least": 0}, "greater than or equal to 1"),
    ],
)
def test_a_leg_has_one_meaning(leg: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Leg.model_validate(leg)


def story(**more: Any) -> Convergence:  # noqa: ANN401 - JSON
    stated = {"id": "s", "title": "S", "summary": "S.", "join": "agent", "window": "10m"}
    return Convergence.model_validate({**stated, "legs": {"use": USE}, **more})


def test_a_leg_refers_to_a_leg_above_it() -> None:
    above = {"recon": USE, "use": {**USE, "after": "recon"}}
    assert list(story(legs=above).legs) == ["recon", "use"]
    for wrong in (dict(reversed(above.items())), {"use": {**USE, "after": "use"}}):
        with pytest.raises(ValidationError, match="which is not a leg above it"):
            story(legs=wrong)


def test_legs_travel_by_the_join_entity_or_by_what_is_said() -> None:
    assert story().carriers == ("agent",)
    assert story(via="model").carriers == ("model",)
    assert story(join="system", via=["agent", "model"]).carriers == ("agent", "model")
    with pytest.raises(ValidationError, match="joins on `system` needs `via`"):
        story(join="system")


def test_a_story_of_posture_alone_is_latent() -> None:
    weak = {"class": "posture", "fact": "exposed", "on": "agent"}
    assert (story().latent, story().facts) == (False, frozenset())
    assert story(legs={"use": USE, "weak": weak}).facts == {"exposed"}
    assert not story(legs={"use": USE, "weak": weak}).latent
    assert story(legs={"weak": weak}).latent


@pytest.mark.parametrize(
    ("condition", "undoable"),
    [
        ({"gte": 2}, False),
        ({"gt": 2}, False),
        ({"gte": 2, "lt": 9}, True),
        ({"eq": 1}, True),
        ({}, False),
    ],
)
def test_more_hits_can_undo_an_upper_bound(
    condition: dict[str, int],
    undoable: bool,  # noqa: FBT001 - a case
) -> None:
    rule = Correlation.model_validate(
        {
            "id": "r",
            "title": "R",
            "type": "event_count",
            "rules": ["a"],
            "timespan": "1m",
            "condition": condition,
            "family": "r",
        }
    )
    assert rule.undoable is undoable

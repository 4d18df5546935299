"""A mapping is read whole or not at all, and all that is wrong with it has its line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.document import Document, Faulty
from streams.mapping.load import load

LEAST = "time: at\nclass: api_activity\nentities: {}\n"


def wrong(text: str) -> list[str]:
    with pytest.raises(Faulty) as caught:
        load(Document("m.yml", text), "generic:m")
    return [str(problem) for problem in caught.value.problems]


def test_the_least() -> None:
    found = load(Document("m.yml", LEAST), "generic:m")
    assert (found.name, found.title, found.lateness) == ("generic:m", "generic:m", 300_000_000)
    assert found.logsource.model_dump(exclude_none=True) == {
        "product": "generic",
        "service": "generic:m",
    }


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert wrong("clas: x\n") == [
        "m.yml:1: `clas` is no key here; did you mean `class`?",
        "m.yml:1: a mapping needs `time`",
        "m.yml:1: a mapping needs `class`",
        "m.yml:1: a mapping needs `entities`",
    ]
    assert wrong("time: at\nclass: door\nentities: {}\n") == [
        "m.yml:2: `class`: `door` is none that is known; there are " + CLASSES,
    ]


CLASSES = (
    "account_change, api_activity, application_error, application_lifecycle,"
    " application_security_posture_finding, authentication, authorize_session,"
    " cloud_resources_inventory_info, compliance_finding, data_security_finding,"
    " datastore_activity, detection_finding, device_config_state_change, device_inventory_info,"
    " dns_activity, email_activity, entity_management, file_hosting_activity,"
    " file_system_activity, group_management, http_activity, network_activity, process_activity,"
    " role_management, scan_activity, script_activity, software_inventory_info,"
    " user_access_management, user_inventory_info, user_management, vulnerability_finding,"
    " web_resource_access_activity, web_resources_activity"
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("uid: a..b", "m.yml:4: `a..b` is no path: it is wrong from `.b` on"),
        ("uid: {path: a, value: b}", "m.yml:4: a value has exactly one of"),
        ("uid: {template: 'x}'}", "m.yml:4: `x}`: a brace has no other half"),
        ("uid: {paths: a}", "m.yml:4: `paths` is no key here; did you mean `path`?"),
        (
            "status:\n  path: s\n  map: {ok: succes}",
            "m.yml:6: `succes` is none of failure, success",
        ),
        ("severity: {value: hi}", "m.yml:4: `hi` is none of critical"),
        ("lateness: soon", "m.yml:4: not a duration like 30s"),
        ("edges:\n  - {from: a, relation: uses, to: actor}", "m.yml:5: `from`: there is no entity"),
        (
            "edges: [{from: actor, relation: x, to: actor, declared: 1}]",
            "m.yml:4: a path is a text",
        ),
        ("attributes: [a]", "m.yml:4: `attributes` is a mapping of at most 256"),
        ("client: {address: a}", "m.yml:4: `address` is no key here; there are ip, user_agent"),
        ("actor: {kind: human, id: x}", "m.yml:4: `kind`: `human` is none that is known"),
        ("actor: {id: x}", "m.yml:4: an entity has a `kind`"),
        ("finding: {state: {path: s, map: {y: shut}}}", "m.yml:4: `shut` is none of closed"),
        ("title: [x]", "m.yml:4: `title` is a text"),
        ("logsource: {vendor: x}", "m.yml:4: `vendor` is no key here"),
        ("sniff: [a, 7]", "m.yml:4: a path is a text"),
        ("uid: &x a", None),
        ("uid: *x", "m.yml:4: "),
        ("---\n" + LEAST, "m.yml: a mapping is one YAML document"),
    ],
)
def test_what_is_wrong_has_its_line(text: str, problem: str | None) -> None:
    if problem is None:
        load(Document("m.yml", LEAST + text), "generic:m")
    else:
        assert wrong(LEAST + text)[0].startswith(problem)


def test_a_time_of_another_form() -> None:
    text = LEAST.replace("time: at", "time: {path: at, format: unix}")
    (problem,) = wrong(text)
    assert problem.startswith("m.yml:1: `format` is rfc3339, epoch_s, epoch_ms, epoch_us, epoch_ns")


JSON = st.recursive(
    st.none() | st.booleans() | st.sampled_from(["a.b", "{x}", "api_activity", "agent", "epoch_s"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "id", "path", "map", "value", "from", "to", "each", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["time", "class", "entities", "edges", "actor", "status", "sniff", "records", "private"]
        ),
        JSON,
    )
)
def test_anything_is_a_mapping_or_faulty(said: dict[str, object]) -> None:
    try:
        load(Document("m.yml", json.dumps(said)), "generic:m")
    except Faulty as faulty:
        lines = [problem.line for problem in faulty.problems]
    else:
        lines = [1]
    assert set(lines) == {1}

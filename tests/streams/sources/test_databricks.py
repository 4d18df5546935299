"""Databricks audit records, as delivery writes them and as the system table has them."""

import orjson

from schemas.event import Reject
from streams.source import named
from tests.streams.sources.conftest import Read
from tests.streams.sources.parsed import edges, events, keys, reasons

ADA, KIM = "principal:ada@example.com", "principal:kim@example.com"
ACCOUNT = "account:00000000-0000-4000-8000-000000000001"
ENDPOINT = "endpoint:databricks/111122223333/claims-triage"


def test_an_endpoint_serves_models_of_the_catalog_and_of_others() -> None:
    event = events("databricks.jsonl")[0]
    assert {key: value for key, value in event.body().items() if key != "evidence"} == {
        "uid": event.evidence.sha256,
        "time": "2026-03-04T05:06:07.123000Z",
        "source": "databricks",
        "class_uid": 6003,
        "class_name": "API Activity",
        "activity": "createServingEndpoint",
        "status": "success",
        "severity": "informational",
        "message": "serverlessRealTimeInference createServingEndpoint by ada@example.com",
        "actor": {"kind": "principal", "id": "ada@example.com"},
        "client": {"ip": "203.0.113.7", "user_agent": "databricks-sdk-py/0.50"},
        "entities": [
            {
                "kind": "endpoint",
                "id": "databricks/111122223333/claims-triage",
                "name": "Claims-Triage",
            },
            {
                "kind": "model",
                "id": "databricks/main.claims.triage",
                "name": "main.claims.triage",
            },
            {"kind": "model", "id": "gpt-4o"},
            {"kind": "principal", "id": "ada@example.com"},
            {"kind": "account", "id": "00000000-0000-4000-8000-000000000001"},
        ],
        "edges": event.body()["edges"],
        "attributes": {
            "api.operation": "createServingEndpoint",
            "api.service": "serverlessRealTimeInference",
            "cloud.account.id": "00000000-0000-4000-8000-000000000001",
            "databricks.audit_level": "WORKSPACE_LEVEL",
            "databricks.request.id": "req-1",
            "databricks.workspace.id": "111122223333",
            "user.email": "ada@example.com",
        },
    }
    assert edges(event) == [
        f"{ENDPOINT} serves model:databricks/main.claims.triage",
        f"{ENDPOINT} serves model:gpt-4o",
    ]
    assert all(one.declared for one in event.edges)


def test_what_an_index_is_fed_by_and_a_model_is_made_by() -> None:
    found = events("databricks.jsonl")
    index = "datastore:databricks/main.claims.letters_index"
    assert edges(found[1]) == [f"{index} fed_by dataset:databricks/main.claims.letters"]
    assert edges(found[2]) == ["model:databricks/main.claims.triage made_by job:mlflow/0123abcd"]
    assert found[2].actor is not None
    assert found[2].actor.id == "00000000-0000-4000-8000-00000000beef"


def test_what_was_refused_changes_nothing() -> None:
    event = events("databricks.jsonl")[3]
    assert (event.status, event.attributes["error.code"], event.edges) == ("failure", "403", ())
    assert keys(event) == ["model:databricks/111122223333/fraud", KIM, ACCOUNT]
    assert event.attributes["databricks.model.stage"] == "Production"


def test_a_login_by_a_token() -> None:
    event = events("databricks.jsonl")[4]
    assert event.class_name == "Authentication"
    assert edges(event) == [f"{KIM} owns apikey:00aa"]


def test_what_an_administrator_does() -> None:
    admin, group, setting, revoked, pasted, login = events("databricks.admin.jsonl")
    assert keys(admin) == [KIM, ADA, ACCOUNT]
    assert group.attributes["databricks.group"] == "admins"
    assert setting.attributes["databricks.setting"] == "enableVerboseAuditLogs"
    assert setting.attributes["databricks.setting.value"] == "false"
    assert edges(revoked) == [f"{KIM} owns apikey:00aa ended"]
    assert keys(pasted) == [KIM]
    assert (login.class_name, login.status) == ("Authentication", "unknown")


def test_a_secret_is_named_and_not_kept() -> None:
    event = events("databricks.jsonl")[5]
    assert event.attributes["databricks.secret.scope"] == "claims"
    assert event.attributes["databricks.secret.key"] == "openai"


def test_a_row_of_the_system_table() -> None:
    reads, login = events("databricks.table.json")
    assert (reads.uid, reads.time) == ("event-8", 1772600767123000)
    assert keys(reads) == ["dataset:databricks/main.claims.letters", ADA, ACCOUNT]
    assert (login.status, login.client) == ("failure", None)


def test_what_is_rejected() -> None:
    assert reasons("databricks.bad.json") == ["no-time", "wrong-shape", "bad-time"]


def test_odd_answers(read: Read) -> None:
    """An action without an answer is of unknown outcome and declares nothing."""
    record = {
        "serviceName": "vectorSearch",
        "actionName": "createVectorIndex",
        "timestamp": 1772600767123,
        "userIdentity": None,
        "requestParams": {"name": "a.b.c", "delta_sync_index_spec": "{not json"},
        "response": {"statusCode": "20"},
    }
    (outcome,) = read(named("databricks"), orjson.dumps(record))
    assert not isinstance(outcome.result, Reject)
    event = outcome.result.event
    assert (event.status, event.edges, keys(event)) == (
        "unknown",
        (),
        ["datastore:databricks/a.b.c"],
    )

"""One model, one endpoint, one key: what audit logs, describe answers and scanners all name."""

from typing import Any, Final

import orjson
import pytest

from schemas.config import Limits
from schemas.event import Reject
from streams.reading import Reader
from streams.source import named

ACCOUNT: Final = "111122223333"
ARN: Final = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}"
SUBSCRIPTION: Final = "/subscriptions/11112222-0000-4000-8000-000000000001"
DEPLOYMENT: Final = (
    f"{SUBSCRIPTION}/resourceGroups/ml/providers/Microsoft.CognitiveServices/accounts/Claims"
    "/deployments/Writer"
)
VERTEX: Final = "projects/claims-ml/locations/europe-west4/endpoints/77"


def call(service: str, name: str, asked: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "eventVersion": "1.11",
        "eventID": f"{name}-1",
        "eventTime": "2026-03-01T08:00:00Z",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "recipientAccountId": ACCOUNT,
        "requestParameters": asked,
        "userIdentity": {
            "type": "IAMUser",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/mara",
            "accessKeyId": "AKIAEXAMPLEMARA",
        },
    }


def finding(uid: str) -> list[dict[str, Any]]:
    """A row of Prowler about the resource of that ARN."""
    return [
        {
            "metadata": {"event_code": "c", "product": {"name": "Prowler"}, "version": "1.5.0"},
            "finding_info": {"title": "C", "uid": f"prowler-{uid}", "created_time": 1772600767},
            "resources": [{"uid": uid, "type": "T"}],
            "status_code": "FAIL",
            "severity": "High",
            "class_uid": 2004,
            "category_uid": 2,
        }
    ]


MODEL: Final = {"ModelName": "claims-m3", "ModelArn": f"{ARN}:model/claims-m3"}
ENDPOINT: Final = {
    "EndpointName": "claims",
    "EndpointArn": f"{ARN}:endpoint/claims",
    "EndpointConfigName": "claims-v3",
}
KEY: Final = {
    "AccessKeyMetadata": [
        {
            "UserName": "mara",
            "AccessKeyId": "AKIAEXAMPLEMARA",
            "Status": "Active",
            "CreateDate": "2024-05-01T00:00:00+00:00",
        }
    ]
}
GUARDRAIL: Final = {
    "guardrailId": "gr7claims",
    "guardrailArn": f"arn:aws:bedrock:eu-west-1:{ACCOUNT}:guardrail/gr7claims",
    "name": "claims",
}
# thing -> the documents that speak of it, each with its source
SAID: Final[dict[str, list[tuple[str, Any]]]] = {
    "model:claims-m3": [
        ("cloudtrail", call("sagemaker", "CreateModel", {"modelName": "claims-m3"})),
        ("aws_inventory", MODEL | {"CreationTime": "2026-03-01T08:00:00+00:00"}),
        ("prowler", finding(f"{ARN}:model/claims-m3")),
    ],
    "endpoint:claims": [
        ("cloudtrail", call("runtime.sagemaker", "InvokeEndpoint", {"endpointName": "claims"})),
        ("aws_inventory", ENDPOINT),
        ("prowler", finding(f"{ARN}:endpoint/claims")),
    ],
    "endpoint:config/claims-v3": [
        (
            "cloudtrail",
            call("sagemaker", "CreateEndpointConfig", {"endpointConfigName": "claims-v3"}),
        ),
        ("aws_inventory", ENDPOINT),
    ],
    "apikey:AKIAEXAMPLEMARA": [
        ("cloudtrail", call("bedrock", "ListFoundationModels", None)),
        ("aws_inventory", KEY),
    ],
    "guardrail:gr7claims": [
        ("cloudtrail", call("bedrock", "GetGuardrail", {"guardrailIdentifier": "gr7claims"})),
        ("aws_inventory", GUARDRAIL),
        ("prowler", finding(GUARDRAIL["guardrailArn"])),
    ],
    "endpoint:azure/claims/writer": [
        (
            "azure_activity",
            {
                "category": "Administrative",
                "time": "2026-03-01T08:00:00Z",
                "resourceId": DEPLOYMENT.upper(),
                "operationName": "MICROSOFT.COGNITIVESERVICES/ACCOUNTS/DEPLOYMENTS/WRITE",
                "resultType": "Success",
                "correlationId": "c",
            },
        ),
        ("azure_inventory", {"id": DEPLOYMENT, "properties": {"model": {"name": "gpt-4o"}}}),
    ],
    f"endpoint:{VERTEX}": [
        (
            "gcp_audit",
            {
                "logName": "projects/claims-ml/logs/cloudaudit.googleapis.com%2Factivity",
                "timestamp": "2026-03-01T08:00:00Z",
                "insertId": "i",
                "protoPayload": {
                    "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
                    "serviceName": "aiplatform.googleapis.com",
                    "methodName": "google.cloud.aiplatform.v1.EndpointService.DeployModel",
                    "resourceName": VERTEX,
                },
            },
        ),
        ("gcp_inventory", {"name": VERTEX, "createTime": "2026-03-01T00:00:00Z"}),
    ],
    "workload:k8s/claims/triage": [
        (
            "kubernetes_audit",
            {
                "kind": "Event",
                "apiVersion": "audit.k8s.io/v1",
                "auditID": "a",
                "stage": "ResponseComplete",
                "verb": "patch",
                "stageTimestamp": "2026-03-01T08:00:00.000000Z",
                "objectRef": {
                    "resource": "deployments",
                    "namespace": "claims",
                    "name": "triage",
                    "apiGroup": "apps",
                },
                "user": {"username": "mara"},
            },
        ),
        (
            "kubernetes_inventory",
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"namespace": "claims", "name": "triage"},
                "spec": {},
            },
        ),
    ],
}


@pytest.mark.parametrize("thing", SAID)
def test_it_has_one_name(thing: str) -> None:
    for source, document in SAID[thing]:
        found = list(Reader(named(source), "file:x", Limits()).read(orjson.dumps(document), 0))
        assert not [one.result for one in found if isinstance(one.result, Reject)]
        keys = {
            one.key
            for outcome in found
            if not isinstance(outcome.result, Reject)
            for one in outcome.result.event.entities
        }
        assert thing in keys, source
        assert named(source).sniff(orjson.dumps(document)), source

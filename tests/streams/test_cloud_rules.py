"""One rule over the normal form catches the same change in every cloud."""

from pathlib import Path

import pytest

from correlators.document import Document
from correlators.normal import logsource, normal_form
from correlators.ruleset import parse
from correlators.sigma.matcher import Matcher
from schemas.config import Limits
from schemas.event import Reject
from streams.reading import outcomes
from streams.source import named

EXAMPLES = Path(__file__).parent / "sources" / "examples"
HEAD = "title: r\nname: r\nlogsource: {product: barograph, category: api_activity}\n"
WEAKENED = """\
detection:
  off: {guardrail.off|exists: true}
  changed: {entity.guardrail|exists: true, api.operation|contains: [update, delete]}
  done: {status: success}
  condition: (off or changed) and done
"""
UNLOGGED = """\
detection:
  logging: {api.operation|contains: [diagnosticSettings/delete, DeleteSink]}
  done: {status: success}
  condition: logging and done
"""
GIVEN = """\
detection:
  role: {iam.role|contains: [admin, 5e0bd9bd], status: success}
  condition: role
"""


def caught(rule: str, source: str) -> list[str]:
    (made,) = parse([Document("r.yml", HEAD + rule)]).rules
    found: list[str] = []
    for result, _ in outcomes(str(EXAMPLES / f"{source}.jsonl"), Limits(), named(source)):
        assert not isinstance(result, Reject)
        matcher = Matcher([made], logsource(result.event), None)
        if matcher.match(normal_form(result.event, result.private)):
            found.append(result.event.activity)
    return found


@pytest.mark.parametrize(
    ("rule", "source", "expected"),
    [
        (
            WEAKENED,
            "gcp_audit",
            [
                "google.cloud.aiplatform.v1.PredictionService.GenerateContent",
                "google.cloud.modelarmor.v1.ModelArmor.UpdateTemplate",
            ],
        ),
        (WEAKENED, "azure_activity", ["MICROSOFT.COGNITIVESERVICES/ACCOUNTS/RAIPOLICIES/WRITE"]),
        (UNLOGGED, "gcp_audit", ["google.logging.v2.ConfigServiceV2.DeleteSink"]),
        (UNLOGGED, "azure_activity", ["Microsoft.Insights/diagnosticSettings/delete"]),
        (
            GIVEN,
            "gcp_audit",
            ["SetIamPolicy", "io.k8s.authorization.rbac.v1.clusterrolebindings.create"],
        ),
        (GIVEN, "azure_activity", ["Microsoft.Authorization/roleAssignments/write"]),
        (GIVEN, "kubernetes_audit", ["create clusterrolebindings"]),
    ],
)
def test_one_rule_for_all_clouds(rule: str, source: str, expected: list[str]) -> None:
    assert caught(rule, source) == expected

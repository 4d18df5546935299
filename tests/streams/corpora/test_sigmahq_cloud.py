"""SigmaHQ's rules for clouds match records as the clouds write them, through our pipeline."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
import pytest

from correlators.sigma.matcher import Matcher
from correlators.sigma.rule import Rule
from infra.rules import collected
from schemas.config import RulesConfig
from streams.source import named

TENANT = "/tenants/00000000-0000-4000-8000-00000000aaaa/providers/Microsoft.aadiam"


@pytest.fixture(scope="module")
def rules(shared: Path) -> tuple[Rule, ...]:
    root = shared / "corpora/rules/sigma-DRL/rules"
    folders = ("application/kubernetes", "cloud/azure", "cloud/gcp")
    config = RulesConfig(
        paths=tuple(str(root / folder) for folder in folders),
        builtin=False,
        pipelines=("sigmahq",),
    )
    loaded = collected(config)
    assert loaded.problems == ()
    assert len(loaded.rules) == 165
    return loaded.rules


def matched(rules: Iterable[Rule], source: str, record: dict[str, Any]) -> set[str]:
    """The file names of the rules that match, found as a run finds them."""
    of = named(source)
    matcher = Matcher(rules, of.LOGSOURCE, of.NARROW)
    scan = matcher.scan([orjson.dumps(record)])
    found = [rule for _, called in scan.hits for rule in matcher.match(record, called)]
    assert found == matcher.match(record)
    return {Path(rule.detection.path).stem for rule in found}


def gcp(method: str, **call: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "timestamp": "2026-03-04T05:06:07.123456789Z",
        "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity",
        "protoPayload": {"methodName": method} | call,
    }


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (gcp("storage.buckets.list"), {"gcp_bucket_enumeration"}),
        (gcp("storage.buckets.update"), {"gcp_bucket_modified_or_deleted"}),
        (gcp("dns.managedZones.delete"), {"gcp_dns_zone_modified_or_deleted"}),
        (gcp("v1.compute.firewalls.insert"), {"gcp_firewall_rule_modified_or_deleted"}),
        (gcp("io.k8s.core.v1.secrets.patch"), {"gcp_kubernetes_secrets_modified_or_deleted"}),
        (
            gcp("io.k8s.authorization.rbac.v1.clusterrolebindings.create"),
            {"gcp_kubernetes_rolebinding"},
        ),
        (
            gcp("google.iam.admin.v1.serviceAccounts.disable"),
            {"gcp_service_account_disabled_or_deleted"},
        ),
        (
            gcp(
                "google.identity.accesscontextmanager.v1.AccessContextManager.DeleteAccessPolicy",
                serviceName="accesscontextmanager.googleapis.com",
                authorizationInfo=[
                    {"permission": "accesscontextmanager.accessPolicies.delete", "granted": True}
                ],
            ),
            {"gcp_access_policy_deleted"},
        ),
        (
            gcp(
                "google.login.LoginService.govAttackWarning",
                serviceName="login.googleapis.com",
                metadata={"event": [{"eventName": "gov_attack_warning"}]},
            ),
            {"gcp_gworkspace_govattack"},
        ),
        (gcp("storage.objects.get"), set()),
    ],
)
def test_google_cloud(rules: tuple[Rule, ...], record: dict[str, Any], expected: set[str]) -> None:
    assert matched(rules, "gcp_audit", record) == expected


def kubernetes(verb: str, resource: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    sub, group = more.pop("sub", None), more.pop("group", None)
    ref = {"resource": resource, "namespace": "claims", "subresource": sub, "apiGroup": group}
    return {
        "kind": "Event",
        "stageTimestamp": "2026-03-04T05:06:07.123456Z",
        "verb": verb,
        "objectRef": {name: value for name, value in ref.items() if value},
        "responseStatus": {"code": 200},
    } | more


def pod(**spec: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return kubernetes("create", "pods", requestObject={"kind": "Pod", "spec": spec})


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            kubernetes("create", "pods", sub="exec"),
            {"kubernetes_audit_exec_into_container"},
        ),
        (kubernetes("delete", "deployments"), {"kubernetes_audit_deployment_deleted"}),
        (kubernetes("list", "secrets"), {"kubernetes_audit_secrets_enumeration"}),
        (kubernetes("create", "serviceaccounts"), {"kubernetes_audit_serviceaccount_creation"}),
        (
            pod(volumes=[{"hostPath": {"path": "/"}}]),
            {"kubernetes_audit_hostpath_mount"},
        ),
        (
            pod(containers=[{"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}]),
            {"kubernetes_audit_privileged_pod_creation"},
        ),
        (
            kubernetes("patch", "deployments", group="apps"),
            {"kubernetes_audit_sidecar_injection"},
        ),
        (
            kubernetes("get", "nodes", responseStatus={"code": 403}),
            {"kubernetes_audit_unauthorized_unauthenticated_actions"},
        ),
        (
            kubernetes("get", "nodes", responseStatus={"code": "401"}),
            {"kubernetes_audit_unauthorized_unauthenticated_actions"},
        ),
        (kubernetes("get", "nodes"), set()),
    ],
)
def test_kubernetes(rules: tuple[Rule, ...], record: dict[str, Any], expected: set[str]) -> None:
    assert matched(rules, "kubernetes_audit", record) == expected


def activity(operation: str) -> dict[str, Any]:
    return {
        "time": "2026-03-04T05:06:07.1234567Z",
        "resourceId": "/SUBSCRIPTIONS/1",
        "operationName": operation,
        "category": "Administrative",
    }


ADFS = {
    "TimeGenerated": "2026-03-04T05:06:07Z",
    "CategoryValue": "Administrative",
    "ResourceProviderValue": "Microsoft.ADHybridHealthService",
    "ResourceId": "/providers/Microsoft.ADHybridHealthService/services/AdFederationService-a",
    "OperationNameValue": "Microsoft.ADHybridHealthService/services/delete",
}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            activity("Microsoft.KeyVault/vaults/delete"),
            {"azure_keyvault_modified_or_deleted"},
        ),
        (
            activity("MICROSOFT.KEYVAULT/VAULTS/KEYS/PURGE/ACTION"),
            {"azure_keyvault_key_modified_or_deleted"},
        ),
        (
            activity("MICROSOFT.KUBERNETES/CONNECTEDCLUSTERS/PODS/DELETE"),
            {"azure_kubernetes_pods_deleted"},
        ),
        (
            activity("MICROSOFT.NETWORK/FIREWALLPOLICIES/WRITE"),
            {"azure_network_firewall_policy_modified_or_deleted"},
        ),
        (
            activity("Microsoft.Authorization/roleAssignments/write"),
            {"azure_granting_permission_detection"},
        ),
        (
            activity("x")
            | {"operationName": {"value": "Microsoft.ContainerRegistry/registries/write"}},
            {"azure_container_registry_created_or_deleted"},
        ),
        (ADFS, {"azure_aadhybridhealth_adfs_service_delete"}),
        (activity("Microsoft.Insights/metricAlerts/write"), set()),
    ],
)
def test_azure_activity(
    rules: tuple[Rule, ...], record: dict[str, Any], expected: set[str]
) -> None:
    assert matched(rules, "azure_activity", record) == expected


def exported(category: str, told: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401
    row = {"time": "2026-03-04T05:06:07.1234567Z", "resourceId": TENANT, "category": category}
    return row | {"operationName": "Sign-in activity", "properties": told} | more


def audit(name: str, **told: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return exported("AuditLogs", {"activityDisplayName": name} | told, operationName=name)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (exported("SignInLogs", {}, resultType="50053"), {"azure_account_lockout"}),
        ({"status": {"errorCode": 50053}}, {"azure_account_lockout"}),
        ({"ResultType": "50053"}, {"azure_account_lockout"}),
        (
            exported("SignInLogs", {"userAgent": "azurehound/2"}, resultType="0"),
            {"azure_ad_azurehound_discovery"},
        ),
        (
            exported(
                "SignInLogs",
                {"authenticationRequirement": "singleFactorAuthentication"},
                resultType="0",
            ),
            {"azure_ad_only_single_factor_auth_required"},
        ),
        (
            exported("SignInLogs", {"authenticationProtocol": "deviceCode"}, resultType="1"),
            {"azure_app_device_code_authentication"},
        ),
        (
            exported("SignInLogs", {"authenticationProtocol": "ropc"}, resultType="1"),
            {"azure_app_ropc_authentication"},
        ),
        (
            exported("SignInLogs", {}, resultType="53003"),
            {"azure_user_login_blocked_by_conditional_access"},
        ),
        (
            exported(
                "SignInLogs",
                {
                    "authenticationRequirement": "multiFactorAuthentication",
                    "status": {"errorCode": 500121, "additionalDetails": "MFA denied; user: no"},
                },
                resultType="500121",
            ),
            {"azure_mfa_denies"},
        ),
        (exported("SignInLogs", {}, resultType="0"), set()),
        (
            audit("Delete conditional access policy"),
            {"azure_aad_secops_ca_policy_removedby_bad_actor"},
        ),
        (
            {"activityDisplayName": "Delete conditional access policy"},
            {"azure_aad_secops_ca_policy_removedby_bad_actor"},
        ),
        (
            audit("Add member to role", targetResources=[{"displayName": "Billing Administrator"}]),
            {"azure_ad_user_added_to_admin_role"},
        ),
        (audit("Add user", result="success"), {"azure_ad_account_created_deleted"}),
        (audit("Add service principal"), {"azure_service_principal_created"}),
        (
            audit("Set federation settings on domain"),
            {"azure_federation_modified"},
        ),
        (
            audit("Disable Strong Authentication", result="success"),
            {"azure_mfa_disabled"},
        ),
        (
            exported("UserRiskEvents", {"riskEventType": "leakedCredentials"}),
            {"azure_identity_protection_leaked_credentials"},
        ),
        (
            {"riskEventType": "anonymizedIPAddress"},
            {"azure_identity_protection_anonymous_ip_address"},
        ),
    ],
)
def test_entra(rules: tuple[Rule, ...], record: dict[str, Any], expected: set[str]) -> None:
    assert matched(rules, "entra", record) == expected

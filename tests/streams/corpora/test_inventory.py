"""Every answer of the inventory samples: read, or named with why it says nothing of AI.

Each fixture is one answer of a describe or list call, and is written as a file of its own; which
source reads it is sniffed. Counts are exact, over all of them.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Final

import orjson

from schemas.config import Limits
from schemas.event import Event, Reject
from streams.reading import Reader
from streams.source import sniffed

# Why an answer says nothing of AI: a file as a whole, or one of its fixtures.
WHY: Final[dict[str, str]] = {
    "gates, caches and mail: none of it is AI, and no kind of asset": """
        aws/apigateway aws/cloudfront aws/cognito aws/ses aws/sns
        aws/sqs azure/application_gateway azure/load_balancer
        azure/logic_apps aws/s3:SNS_TOPICS aws/s3:SNS_TOPIC_ATTRIBUTES
        aws/rds:DESCRIBE_EVENT_SUBSCRIPTIONS_RESPONSE aws/s3:S3_NOTIFICATIONS""",
    "networks: what is open is told by the things behind them": """
        aws/ec2/internet_gateways aws/ec2/load_balancer_v2s
        aws/ec2/network_acls/vpcs aws/ec2/route_tables aws/ec2/tgw
        aws/ec2/tgw_route_tables azure/firewall azure/network
        gcp/compute_exposure gcp/ssl_policy_exposure azure/synapse:MOCK_MPES
        snowflake/external_access_integrations
        databricks/private_access_settings""",
    "events without service or time, as only the tests of their authors have them": """
        aws/cloudtrail_management_events""",
    "settings of a watcher or a clock, of no asset": """
        aws/config aws/securityhub azure/monitor snowflake/alerts
        snowflake/resource_monitors snowflake/tasks subimage/frameworks
        subimage/modules subimage/neo4jusers subimage/team subimage/tenant
        github/rate_limit""",
    "how hosts will be made: a template or a disk image is no host": """
        aws/ec2/auto_scaling_groups aws/ec2/images aws/ec2/launch_templates""",
    "groups and policies without the one they hold for": """
        aws/iam/__init__:LIST_GROUPS aws/iam/__init__:LIST_GROUPS_SAMPLE
        aws/iam/__init__:INLINE_POLICY_STATEMENTS aws/iam/__init__:LIST_SAML_PROVIDERS
        aws/iam/__init__:SERVICE_LAST_ACCESSED_DETAILS aws/s3:LIST_STATEMENTS
        gcp/policy_bindings:MOCK_IAM_ROLES gcp/policy_bindings:MOCK_GSUITE_GROUPS
        gcp/permission_relationships:MOCK_PERMISSION_RELATIONSHIPS_YAML
        snowflake/data_policies snowflake/password_policies
        snowflake/session_policies snowflake/security_integrations
        aws/s3accountpublicaccessblock github/branch_protection_rules
        aws/s3:GET_BUCKET_LOGGING_ENABLED
        databricks/workspace:DATABRICKS_WORKSPACE_CONF""",
    "made by Cartography from answers: no command of the vendor prints it": """
        aws/iam/__init__:GET_GROUP_MEMBERSHIPS_DATA
        aws/iam/access_keys:GET_USER_ACCESS_KEYS_DATA aws/iam/role_inline_policies
        aws/iam/user_inline_policies aws/iam/user_policies:GET_USER_MANAGED_POLS_SAMPLE
        aws/iam/user_policies:GET_ROLE_INLINE_POLS_SAMPLE aws/s3:OPEN_BUCKET_ACLS
        aws/s3:GET_ENCRYPTION aws/s3:GET_BUCKET_OWNERSHIP_CONTROLS
        aws/s3:GET_S3_BUCKET_DETAILS azure/functions:MOCK_FUNCTION_APP_CONFIGS
        gcp/artifact_registry:MOCK_PLATFORM_IMAGES gcp/kms:MOCK_KEYS_BY_RING
        gcp/policy_bindings:MOCK_GSUITE_GROUP_MEMBERS
        github/packages:PACKAGE_VERSIONS_BY_NAME kubernetes/clusters
        databricks/workspace:DATABRICKS_WORKSPACE modal/identity modal/workspace
        snowflake/sequences:SNOWFLAKE_SEQUENCE_LISTINGS
        snowflake/streams:SNOWFLAKE_STREAM_LISTINGS""",
    "secrets, keys of encryption and certificates: no kind of asset": """
        aws/secretsmanager aws/iam/server_certificates gcp/kms
        databricks/git_credentials aws/ssm:SSM_PARAMETERS_DATA
        aws/ssm:PUBLIC_SSM_PARAMETERS_DATA""",
    "findings in the form of their own API; asff, ocsf, osv, semgrep and defender read others": """
        aws/inspector aws/ssm:INSTANCE_PATCHES azure/security_center
        cve_metadata/nvd semgrep/deployment semgrep/sast semgrep/sca""",
    "levels above a subscription: nothing runs there": "azure/management_groups",
    "copies, backups and parts of stores that are read": """
        aws/rds:DESCRIBE_DBSNAPSHOTS_RESPONSE gcp/bigtable
        snowflake/replication_groups snowflake/materialized_views snowflake/streams
        snowflake/pipes snowflake/sequences snowflake/tags
        snowflake/account:SNOWFLAKE_MANAGED_ACCOUNTS databricks/shares
        databricks/providers azure/synapse:MOCK_LINKED_SERVICES""",
    "code and pages inside a store, without a model": """
        azure/synapse:MOCK_PIPELINES gcp/bigquery databricks/dashboards
        snowflake/functions snowflake/procedures""",
    "packages and layers: what is in an image, which bills of materials tell": """
        gcp/artifact_registry snowflake/artifact_repositories
        github/packages:MANIFEST_API_INDEX""",
    "an organisation's name and no more": "github/users:GITHUB_ORG_DATA",
    "installed applications in which there is no AI": """
        microsoft/intune/detected_apps""",
}


def why(file: str, name: str) -> str | None:
    """Why it is not read: what names the fixture goes before what names its file."""
    for place in (f"{file}:{name}", file):
        for reason, places in WHY.items():
            if place in places.split():
                return reason
    return None


def fixtures(shared: Path) -> list[tuple[str, str, Any]]:
    folder = shared / "corpora/inventory/cartography"
    return [
        (path.relative_to(folder).with_suffix("").as_posix(), name, value)
        for path in sorted(folder.rglob("*.json"))
        for name, value in orjson.loads(path.read_bytes()).items()
    ]


def read(value: Any) -> tuple[str, list[Event], list[Reject]]:  # noqa: ANN401 - JSON
    """The source of an answer, and what it says."""
    document = orjson.dumps(value)
    source = sniffed(document)
    if source is None:
        return "", [], []
    results = [one.result for one in Reader(source, "file:x", Limits()).read(document, 0)]
    parsed = [one.event for one in results if not isinstance(one, Reject)]
    return source.NAME, parsed, [one for one in results if isinstance(one, Reject)]


def answer(value: Any) -> bool:  # noqa: ANN401 - JSON
    """True of what a call can have answered: a constant of a test, or nothing, is none."""
    if isinstance(value, list) and value:
        return isinstance(value[0], dict | list)
    return isinstance(value, dict) and bool(value)


def test_every_answer_is_read_or_says_nothing_of_ai(shared: Path) -> None:
    by, unread, unused = Counter[str](), Counter[str](), set(" ".join(WHY.values()).split())
    constants = 0
    for file, name, value in fixtures(shared):
        source, events, _ = read(value)
        if events:
            by[source] += 1
        elif not answer(value):
            constants += 1
        else:
            reason = why(file, name)
            assert reason is not None, f"{file}:{name} is not read: say why, or read it"
            unread[reason] += 1
            unused -= {file, f"{file}:{name}"}
    assert not unused, "these are read, or there are none of them"
    assert by == {
        "ai_platform": 9,
        "aws_inventory": 31,
        "azure_inventory": 16,
        "databricks_inventory": 7,
        "gcp_inventory": 23,
        "github_inventory": 4,
        "semgrep": 4,
        "snowflake_inventory": 7,
        "trivy": 6,
    }
    assert (by.total(), constants, unread.total()) == (107, 96, 201)


def test_assets_edges_and_facts(shared: Path) -> None:
    assets: dict[str, set[str]] = {}
    edges = set[tuple[str, str, str]]()
    declared, facts = Counter[str](), Counter[tuple[str, str]]()
    for _, _, value in fixtures(shared):
        source, events, _ = read(value)
        if not source.endswith(("_inventory", "ai_platform")):
            continue
        for event in events:
            for one in event.entities:
                assets.setdefault(one.kind, set()).add(one.id)
            for edge in event.edges:
                assert edge.declared
                edges.add((edge.from_.key, edge.relation, edge.to.key))
            if event.finding is not None and event.finding.check is not None:
                facts[event.finding.check, event.finding.state] += 1
    declared.update(relation for _, relation, _ in edges)
    assert {kind: len(ids) for kind, ids in assets.items()} == {
        "account": 23,
        "apikey": 10,
        "application": 7,
        "dataset": 7,
        "datastore": 29,
        "host": 8,
        "image": 5,
        "model": 1,
        "principal": 67,
        "repo": 5,
        "workload": 20,
    }
    assert declared == {
        "calls": 2,
        "fed_by": 6,
        "hosts": 76,
        "may_assume": 3,
        "may_use": 11,
        "member_of": 2,
        "owns": 6,
        "runs_as": 4,
        "runs_image": 5,
        "runs_on": 3,
        "same_as": 18,
        "uses": 1,
    }
    assert facts == {
        ("anyone_may_assume", "resolved"): 19,
        ("direct_internet", "open"): 2,
        ("direct_internet", "resolved"): 2,
        ("host_access", "resolved"): 2,
        ("images_not_scanned", "resolved"): 1,
        ("never_expires", "open"): 1,
        ("never_expires", "resolved"): 2,
        ("no_own_key", "open"): 5,
        ("no_own_key", "resolved"): 3,
        ("no_private_network", "open"): 1,
        ("no_private_network", "resolved"): 2,
        ("no_second_factor", "open"): 1,
        ("no_second_factor", "resolved"): 3,
        ("not_encrypted", "open"): 2,
        ("not_encrypted", "resolved"): 4,
        ("open_to_the_world", "open"): 1,
        ("open_to_the_world", "resolved"): 8,
        ("public_network", "open"): 2,
        ("public_network", "resolved"): 3,
    }


def test_what_is_refused_in_what_is_read(shared: Path) -> None:
    """Rows beside those that are read: charts, packages, passwords, applications without AI."""
    refused = {
        f"{file}:{name}": len(rejects)
        for file, name, value in fixtures(shared)
        for _, events, rejects in [read(value)]
        if events and rejects
    }
    assert refused == {
        "gcp/artifact_registry:MOCK_REPOSITORIES": 3,
        "github/users:GITHUB_USER_DATA": 1,
        "github/users:GITHUB_USER_DATA_AT_TIMESTAMP_2": 1,
        "github/users:GITHUB_ENTERPRISE_OWNER_DATA": 1,
        "microsoft/intune/detected_apps:MOCK_DETECTED_APP_AGGREGATE_ROWS": 2,
        "snowflake/credentials:SNOWFLAKE_CREDENTIALS": 2,
    }

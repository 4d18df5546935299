"""Normal form: an Event as the flat record that rules with `product: barograph` see."""

from collections.abc import Mapping
from typing import Any, Final, get_args

from schemas.detection import Logsource
from schemas.entity import KINDS
from schemas.event import Client, Event, Level, ScanFinding, Status
from schemas.times import rfc3339

PRODUCT: Final = "barograph"

# The classes of OCSF 1.8, as a logsource names them: what an event can be.
_CLASSES: Final = """
account_change admin_group_query airborne_broadcast_activity api_activity application_error
application_lifecycle application_security_posture_finding authentication authorize_session
clipboard_activity cloud_resources_inventory_info compliance_finding data_security_finding
datastore_activity detection_finding device_config_state device_config_state_change
device_inventory_info device_power_state_activity dhcp_activity dns_activity
drone_flights_activity email_activity email_file_activity email_url_activity entity_management
event_log_activity file_hosting_activity file_query file_remediation_activity
file_system_activity folder_query ftp_activity group_management http_activity
iam_analysis_finding incident_finding job_query kernel_activity kernel_extension_activity
kernel_object_query live_evidence_info memory_activity module_activity module_query
network_activity network_connection_query network_file_activity network_remediation_activity
networks_query ntp_activity operating_system_patch_state osint_inventory_info
peripheral_activity peripheral_device_query process_activity process_query
process_remediation_activity rdp_activity remediation_activity role_management scan_activity
scheduled_job_activity script_activity security_finding service_query smb_activity
software_inventory_info ssh_activity startup_item_query tunnel_activity user_access_management
user_inventory_info user_management user_query user_session_query vulnerability_finding
web_resource_access_activity web_resources_activity
"""
CATEGORIES: Final = frozenset(_CLASSES.split())

# What is told of prompts, answers and tool calls, whichever source brought them.
CONTENT: Final = frozenset(
    """
    content.fingerprints content.hidden content.hidden.where content.pii content.pii.at
    content.pii.where content.prompt content.secrets content.secrets.at content.secrets.where
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
# The fields that every event has for a rule, or may have, besides the attributes of its source.
NAMES: Final = frozenset(
    {
        *CONTENT,
        *("time", "source", "class_uid", "class_name", "activity", "status", "severity", "message"),
        *("actor.kind", "actor.id"),
        *(f"client.{name}" for name in Client.model_fields),
        *(f"finding.{name}" for name in ScanFinding.model_fields),
        *(f"entity.{kind}" for kind in KINDS),
    }
)

_PLACES: Final = (
    *("output", "other", "prompt", "retrieved"),
    *("tool_arguments", "tool_definitions", "tool_result"),
)
# Fields that hold one of a few words, which a rule that asks for another never finds.
WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "actor.kind": KINDS,
    "content.hidden.where": _PLACES,
    "content.pii.where": _PLACES,
    "content.secrets.where": _PLACES,
    "finding.state": get_args(ScanFinding.model_fields["state"].annotation),
    "guardrail.verdict": ("allow", "warn", "modify", "deny"),
    "severity": get_args(Level),
    "status": get_args(Status),
}


def normal_form(event: Event, private: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of an event, its private content, and its own fields.

    These are time, source, class_uid, class_name, activity, status, severity, message, actor.kind,
    actor.id, client.ip, client.user_agent, finding.<field>, entity.<kind> (the first id of a kind).
    They win over attributes, so that a record cannot fake them. What is unknown is absent.
    """
    form: dict[str, Any] = {
        **event.attributes,
        **private,
        "time": rfc3339(event.time),
        "source": event.source,
        "class_uid": event.class_uid,
        "class_name": event.class_name,
        "activity": event.activity,
        "status": event.status,
        "severity": event.severity,
        "message": event.message,
    }
    if event.actor is not None:
        form["actor.kind"], form["actor.id"] = event.actor.kind, event.actor.id
    client = event.client
    if client is not None and client.ip is not None:
        form["client.ip"] = client.ip
    if client is not None and client.user_agent is not None:
        form["client.user_agent"] = client.user_agent
    if event.finding is not None:
        form |= {f"finding.{name}": value for name, value in event.finding if value is not None}
    for entity in reversed(event.entities):
        form[f"entity.{entity.kind}"] = entity.id
    return form


def logsource(event: Event) -> Logsource:
    """Where rules over the normal form of such events run: its class and its source."""
    category = event.class_name.lower().replace(" ", "_")
    return Logsource(category=category, product=PRODUCT, service=event.source)

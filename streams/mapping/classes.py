"""Classes: those of OCSF 1.8 that a mapping may name, with their uids and captions."""

from __future__ import annotations

from typing import Final

CLASSES: Final[dict[str, tuple[int, str]]] = {
    "account_change": (3001, "Account Change"),
    "api_activity": (6003, "API Activity"),
    "application_error": (6008, "Application Error"),
    "application_lifecycle": (6002, "Application Lifecycle"),
    "application_security_posture_finding": (2007, "Application Security Posture Finding"),
    "authentication": (3002, "Authentication"),
    "authorize_session": (3003, "Authorize Session"),
    "cloud_resources_inventory_info": (5023, "Cloud Resources Inventory Info"),
    "compliance_finding": (2003, "Compliance Finding"),
    "data_security_finding": (2006, "Data Security Finding"),
    "datastore_activity": (6005, "Datastore Activity"),
    "detection_finding": (2004, "Detection Finding"),
    "device_config_state_change": (5019, "Device Config State Change"),
    "device_inventory_info": (5001, "Device Inventory Info"),
    "dns_activity": (4003, "DNS Activity"),
    "email_activity": (4009, "Email Activity"),
    "entity_management": (3004, "Entity Management"),
    "file_hosting_activity": (6006, "File Hosting Activity"),
    "file_system_activity": (1001, "File System Activity"),
    "group_management": (3006, "Group Management"),
    "http_activity": (4002, "HTTP Activity"),
    "network_activity": (4001, "Network Activity"),
    "process_activity": (1007, "Process Activity"),
    "role_management": (3008, "Role Management"),
    "scan_activity": (6007, "Scan Activity"),
    "script_activity": (1009, "Script Activity"),
    "software_inventory_info": (5020, "Software Inventory Info"),
    "user_access_management": (3005, "User Access Management"),
    "user_inventory_info": (5003, "User Inventory Info"),
    "user_management": (3007, "User Management"),
    "vulnerability_finding": (2002, "Vulnerability Finding"),
    "web_resource_access_activity": (6004, "Web Resource Access Activity"),
    "web_resources_activity": (6001, "Web Resources Activity"),
}
# By what a record may say: the name, the uid, or the caption.
SAID: Final[dict[str, str]] = {
    said: name
    for name, (uid, caption) in CLASSES.items()
    for said in (name, str(uid), caption.lower())
}

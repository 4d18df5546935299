"""Checks: what the description of a thing says of its own weakness, by name."""

from __future__ import annotations

from typing import Final

from schemas.event import Level

# check -> (what is so where it fails, how bad that is)
CHECKS: Final[dict[str, tuple[str, Level]]] = {
    "anyone_may_assume": ("Anyone may assume this role", "critical"),
    "direct_internet": ("It has a way to the internet that is not its owner's", "medium"),
    "host_access": ("Its containers reach into their host", "high"),
    "images_not_scanned": ("Images are not scanned when they are pushed", "low"),
    "keys_for_login": ("Whoever has its key may call it, without an identity", "medium"),
    "never_expires": ("This key never expires", "medium"),
    "no_guardrail": ("No guardrail stands before it", "medium"),
    "no_network_isolation": ("Its containers may call out", "medium"),
    "no_own_key": ("It is not encrypted with a key of its owner's", "low"),
    "no_private_network": ("It is in no private network", "low"),
    "no_second_factor": ("No second factor is asked of this user", "medium"),
    "not_encrypted": ("What it stores is not encrypted", "high"),
    "open_to_the_world": ("Anyone may reach or read it", "high"),
    "old_metadata_service": ("Its metadata service answers without a token", "medium"),
    "public_network": ("It can be reached from the public network", "medium"),
    "secrets_not_scanned": ("Secrets that are pushed to it are not looked for", "low"),
    "root_access": ("Its users are root", "medium"),
    "traffic_not_encrypted": ("Its containers talk to each other in the clear", "low"),
}

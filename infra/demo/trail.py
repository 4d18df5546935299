"""Trail: AWS calls as CloudTrail records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.demo.estate import ACCOUNT, REGION, Caller, fingerprint
from schemas.times import SECOND, rfc3339

JsonObject = dict[str, Any]

_READS = ("Describe", "Get", "Head", "List", "Lookup", "Converse", "InvokeModel")


class Trail:
    """Collects records with their times (microseconds; CloudTrail itself has whole seconds)."""

    def __init__(self) -> None:
        self.records: list[tuple[int, JsonObject]] = []

    def call(
        self,
        time: int,
        caller: Caller,
        action: str,
        parameters: Mapping[str, Any] | None = None,
        error: str | None = None,
    ) -> None:
        """`caller` did `action` (`ecs:UpdateService`), or was refused with the code `error`."""
        service, _, operation = action.partition(":")
        record = self._head(time, f"{service}.amazonaws.com", operation) | {
            "userIdentity": _identity(caller),
            "sourceIPAddress": caller.address,
            "userAgent": caller.agent,
            "requestParameters": dict(parameters) if parameters else None,
            "responseElements": None,
            "readOnly": operation.startswith(_READS),
            "eventType": "AwsApiCall",
        }
        if caller.console:
            record["sessionCredentialFromConsole"] = "true"
        if error:
            record |= {"errorCode": error, "errorMessage": f"{caller.name} may not do {action}"}
        self.records.append((time, record))

    def login(self, time: int, person: str, address: str, *, success: bool) -> None:
        """`person` signed in to the console, or failed to."""
        record = self._head(time, "signin.amazonaws.com", "ConsoleLogin") | {
            "userIdentity": {
                "type": "IAMUser",
                "arn": f"arn:aws:iam::{ACCOUNT}:user/{person}",
                "accountId": ACCOUNT,
                "userName": person,
            },
            "sourceIPAddress": address,
            "userAgent": "Mozilla/5.0",
            "requestParameters": None,
            "responseElements": {"ConsoleLogin": "Success" if success else "Failure"},
            "additionalEventData": {"MFAUsed": "Yes" if success else "No"},
            "readOnly": False,
            "eventType": "AwsConsoleSignIn",
        }
        if not success:
            record["errorMessage"] = "Failed authentication"
        self.records.append((time, record))

    def _head(self, time: int, source: str, operation: str) -> JsonObject:
        number = len(self.records)
        return {
            "eventVersion": "1.11",
            "eventTime": rfc3339(time - time % SECOND).replace(".000000", ""),
            "eventSource": source,
            "eventName": operation,
            "awsRegion": REGION,
            "requestID": _uuid("request", number),
            "eventID": _uuid("event", number),
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
        }


def _identity(caller: Caller) -> JsonObject:
    number = fingerprint(caller.name, length=8).upper()
    if caller.user:
        return {
            "type": "IAMUser",
            "principalId": f"AIDAEXAMPLE{number}",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/{caller.name}",
            "accountId": ACCOUNT,
            "accessKeyId": caller.key,
            "userName": caller.name,
        }
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE{number}:session",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{caller.name}/session",
        "accountId": ACCOUNT,
        "accessKeyId": caller.key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": f"AROAEXAMPLE{number}",
                "arn": f"arn:aws:iam::{ACCOUNT}:role/{caller.name}",
                "accountId": ACCOUNT,
                "userName": caller.name,
            },
            "attributes": {"mfaAuthenticated": "false"},
        },
    }


def _uuid(*parts: object) -> str:
    h = fingerprint(*parts, length=32)
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"

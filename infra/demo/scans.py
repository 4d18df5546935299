"""Scans: what the scanner found in images and code, as Trivy reports."""

from __future__ import annotations

from typing import Any

from infra.demo.estate import System, fingerprint
from schemas.times import rfc3339

JsonObject = dict[str, Any]

# A real advisory, so that public lists know it: Ray's dashboard runs what strangers send.
RAY = {
    "VulnerabilityID": "CVE-2023-6019",
    "PkgName": "ray",
    "PkgIdentifier": {"PURL": "pkg:pypi/ray@2.6.3"},
    "InstalledVersion": "2.6.3",
    "FixedVersion": "2.8.1",
    "Status": "fixed",
    "Severity": "CRITICAL",
    "CVSS": {"nvd": {"V3Score": 9.8}},
    "Title": "Command injection in the Ray dashboard",
}
# What a build leaves behind: the scanner masks the value, and so would we.
SECRET = {
    "RuleID": "aws-access-key-id",
    "Category": "AWS",
    "Severity": "CRITICAL",
    "Title": "AWS Access Key ID",
    "StartLine": 3,
    "EndLine": 3,
    "Match": "AWS_ACCESS_KEY_ID=********************",
}
_PACKAGES = ("apt", "bash", "coreutils", "curl", "gzip", "libc6", "libssl3", "perl-base", "tar")


def image_report(
    system: System, time: int, found: list[JsonObject], everyday: int, secrets: list[JsonObject]
) -> JsonObject:
    """One scan of an image: `found` in Python packages, `everyday` in its base, and secrets."""
    name = f"{system.repository}:{system.tag}"
    metadata: JsonObject = {
        "OS": {"Family": "debian", "Name": "12.9"},
        "ImageID": f"sha256:{fingerprint('config', system.name)}",
        "RepoTags": [name],
    }
    if system.pinned:
        metadata["RepoDigests"] = [system.image]
    base = [_everyday(system, number) for number in range(everyday)]
    results = [
        {"Target": f"{name} (debian 12.9)", "Class": "os-pkgs", "Type": "debian"}
        | {"Vulnerabilities": base},
        {"Target": "Python", "Class": "lang-pkgs", "Type": "python-pkg"}
        | {"Vulnerabilities": found},
    ]
    if secrets:
        results.append({"Target": "/app/.env", "Class": "secret", "Secrets": secrets})
    head = _head(time, name, "container_image")
    return head | {"Metadata": metadata, "Results": results}


def code_report(time: int, *, mended: bool) -> JsonObject:
    """One scan of infrastructure code: a check that passes, and one that does once `mended`."""
    checks = [
        ("AVD-AWS-0036", "Secrets stay out of container definitions", "HIGH", True),
        ("AVD-AWS-0034", "ECS clusters have container insights", "LOW", mended),
    ]
    found = [
        {
            "Type": "Terraform Security Check",
            "ID": check,
            "Title": title,
            "Severity": severity,
            "Status": "PASS" if passed else "FAIL",
        }
        for check, title, severity, passed in checks
    ]
    result = {"Target": "serving.tf", "Class": "config", "Type": "terraform"}
    head = _head(time, "git.quillhaven.example/platform/serving", "repository")
    return head | {"Results": [result | {"Misconfigurations": found}]}


def _head(time: int, name: str, kind: str) -> JsonObject:
    created = rfc3339(time).replace("Z", "000Z")  # Trivy counts nanoseconds
    return {"SchemaVersion": 2, "CreatedAt": created, "ArtifactName": name, "ArtifactType": kind}


def _everyday(system: System, number: int) -> JsonObject:
    package = _PACKAGES[number % len(_PACKAGES)]
    advisory = int(fingerprint(system.name, number, length=4), 16)
    return {
        "VulnerabilityID": f"CVE-2099-{advisory:05}",  # invented: that year is far
        "PkgName": package,
        "PkgIdentifier": {"PURL": f"pkg:deb/debian/{package}@12.9"},
        "InstalledVersion": "12.9",
        "Status": "affected",
        "Severity": "LOW" if number % 4 else "MEDIUM",
        "Title": f"An invented weakness of {package}",
    }

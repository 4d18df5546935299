"""The certificates of a broker with TLS: what strict clients ask of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from infra.dev.certificates import certify
from schemas.errors import Unavailable


@pytest.mark.openssl
def test_the_authority_vouches_for_the_broker_by_its_address(tmp_path: Path) -> None:
    certify(tmp_path)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made["broker.pem"] == made["key.pem"] + made["cert.pem"] + made["ca.pem"]
    check = ["openssl", "verify", "-x509_strict", "-verify_ip", "127.0.0.1", "-CAfile", "ca.pem"]
    subprocess.run([*check, "cert.pem"], cwd=tmp_path, check=True, capture_output=True)
    certify(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == made


def test_without_openssl_the_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable, match="apt-get install openssl"):
        certify(tmp_path)

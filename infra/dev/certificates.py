"""Certificates for a broker on loopback, made by openssl: an authority and what it vouches for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from schemas.errors import Unavailable

# A key, and what it certifies for ten years.
_NEW: Final = (
    *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
    *("-days", "3650"),
)
_AUTHORITY: Final = (
    *("-subj", "/CN=barograph development", "-addext", "keyUsage=critical,keyCertSign"),
    *("-addext", "basicConstraints=critical,CA:TRUE"),
)
_BROKER: Final = (
    *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
    *("-addext", "basicConstraints=critical,CA:FALSE"),
)


def certify(folder: Path) -> None:
    """Write ca.pem, which clients trust, and broker.pem (key, certificate, authority) to `folder`.

    What is there already stays. Unavailable without an openssl that can do it.
    """
    whole = folder / "broker.pem"
    if whole.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    ca, ca_key, pem, key = (folder / name for name in ("ca.pem", "ca.key", "cert.pem", "key.pem"))
    _openssl(*_NEW, *_AUTHORITY, "-keyout", str(ca_key), "-out", str(ca))
    signed = ("-CA", str(ca), "-CAkey", str(ca_key))
    _openssl(*_NEW, *_BROKER, *signed, "-keyout", str(key), "-out", str(pem))
    whole.write_text("".join(part.read_text("ascii") for part in (key, pem, ca)), "ascii")


def _openssl(*arguments: str) -> None:
    program = shutil.which("openssl")
    if program is None:
        raise Unavailable("a broker with TLS needs certificates: apt-get install openssl")
    done = subprocess.run(  # noqa: S603 - the one on the user's PATH
        [program, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or [""])[-1]
        raise Unavailable(f"openssl could not make certificates: {said}; it must be 3.0 or newer")

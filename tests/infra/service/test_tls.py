"""A run behind TLS and a token: the health endpoints are open, the read API is not."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import orjson
import pytest

from infra.cli import main
from infra.dev.certificates import certify
from tests.infra.service.running import PATIENCE, Running, eventually

TOKEN = "token-for-example-0001"  # noqa: S105 - of this test alone


@pytest.mark.openssl
def test_all_is_encrypted_and_only_the_token_opens_the_api(folder: Path) -> None:
    certify(folder)
    settings = (folder / "barograph.toml").read_text()
    tls = f'token = "{TOKEN}"\ncertificate = "cert.pem"\nkey = "key.pem"'
    (folder / "barograph.toml").write_text(settings.replace("[server]", f"[server]\n{tls}"))
    trusting = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    with Running(folder) as run:
        assert run.url.startswith("https://")

        def get(path: str, token: str | None = None) -> bytes:
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            request = Request(run.url + path, headers=headers)  # noqa: S310 - a URL of our own
            with urlopen(request, timeout=PATIENCE, context=trusting) as answer:  # noqa: S310
                body: bytes = answer.read()
                return body

        assert get("/healthz") == b"ok\n"
        assert b"barograph_ready 1.0" in get("/metrics")
        eventually(lambda: b"barograph_posture_up 1.0" in get("/metrics"))
        with pytest.raises(URLError, match="401"):
            get("/api/v1/alerts")
        assert orjson.loads(get("/api/v1/alerts", TOKEN))["rows"] == []
        with pytest.raises(URLError, match="CERTIFICATE_VERIFY_FAILED"):
            urlopen(f"{run.url}/healthz", timeout=PATIENCE)  # noqa: S310 - a URL of our own
        assert run.stop() == 0
    assert TOKEN not in "".join(run.said)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ((), "certificate cert.pem and key key.pem cannot be used: No such file or directory;"),
        (("cert.pem", "key.pem"), "certificate cert.pem and key key.pem cannot be used:"),
    ],
)
def test_a_certificate_that_is_none_is_told(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    files: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("BAROGRAPH_SERVER__CERTIFICATE", "cert.pem")
    monkeypatch.setenv("BAROGRAPH_SERVER__KEY", "key.pem")
    for name in files:
        (folder / name).write_text("no certificate")
    assert main(["run"]) == 2
    assert said in capsys.readouterr().err


def test_beyond_this_machine_the_api_is_shut_and_the_rest_is_not(folder: Path) -> None:
    settings = (folder / "barograph.toml").read_text()
    (folder / "barograph.toml").write_text(
        settings.replace("[server]", '[server]\nhost = "0.0.0.0"')
    )
    with Running(folder) as run:
        assert run.get("/healthz") == (200, "ok\n")
        status, body = run.get("/api/v1/alerts")
        assert (status, "BAROGRAPH_SERVER__TOKEN_FILE" in body) == (403, True)
        assert run.stop() == 0
    assert any("the read API is for this machine alone" in line for line in run.said)

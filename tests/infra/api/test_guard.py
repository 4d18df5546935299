"""Who may ask: tokens, this machine alone, other origins, and how often."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from infra.api.guard import BURST, CLIENTS, Guard, Rates, here
from schemas.config import ServerConfig
from tests.infra.api.conftest import serving

OLD, NEW = "old-example-token-0001", "new-example-token-0002"


def config(host: str = "127.0.0.1", token: str | None = None, rate: float = 1e6) -> ServerConfig:
    return ServerConfig(host=host, token=None if token is None else SecretStr(token), rate=rate)


def status(
    guard: Guard, host: str = "127.0.0.1:9464", origin: str | None = None, token: str | None = None
) -> int:
    refusal = guard.refusal("127.0.0.1", host, origin, token)
    return 200 if refusal is None else refusal.status


def test_each_of_several_tokens_is_good_and_nothing_else() -> None:
    guard = Guard(config("0.0.0.0", f"{OLD}\n{NEW}\n"), lambda: 0.0)  # noqa: S104 - nothing listens
    assert guard.open
    assert status(guard, token=f"Bearer {OLD}") == 200
    assert status(guard, token=f"bearer {NEW}") == 200
    assert status(guard, "evil.example", "https://evil.example", f"Bearer {NEW}") == 200
    for wrong in (None, "", NEW, f"Basic {NEW}", f"Bearer {NEW[:-1]}", "Bearer", "Bearer é\udcff"):
        assert status(guard, token=wrong) == 401
    assert status(guard, token=f"Bearer {OLD} {NEW}") == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "10.1.2.3", "::", "barograph.example"])  # noqa: S104
def test_without_a_token_nobody_beyond_this_machine_is_answered(host: str) -> None:
    guard = Guard(config(host), lambda: 0.0)
    assert (guard.open, status(guard)) == (False, 403)


@pytest.mark.parametrize(
    ("host", "origin", "expected"),
    [
        ("127.0.0.1:9464", None, 200),
        ("localhost:9464", None, 200),
        ("[::1]:9464", None, 200),
        ("localhost", "http://localhost:3000", 200),
        ("rebound.example:9464", None, 403),
        ("127.0.0.1.evil.example", None, 403),
        ("", None, 403),
        ("[", None, 403),
        ("localhost", "https://evil.example", 403),
        ("localhost", "null", 403),
        ("localhost", "http://[", 403),
    ],
)
def test_a_page_of_a_browser_is_kept_out(host: str, origin: str | None, expected: int) -> None:
    assert status(Guard(config(), lambda: 0.0), host, origin) == expected


def test_what_is_of_this_machine() -> None:
    assert all(map(here, ("127.0.0.1", "127.8.8.8", "::1", "localhost", "::ffff:127.0.0.1")))
    assert not any(map(here, (None, "", "0.0.0.0", "10.0.0.1", "localhost.evil.example")))  # noqa: S104


def test_a_rate_has_a_burst_and_fills_again() -> None:
    now = 0.0
    rates = Rates(10, lambda: now)
    waits = [rates.wait("a") for _ in range(round(10 * BURST) + 2)]
    assert waits == [None] * 20 + [0.1, 0.1]
    assert rates.wait("b") is None
    now = 0.25
    assert [rates.wait("a") for _ in range(3)] == [None, None, pytest.approx(0.05)]
    now = 1e6
    assert [rates.wait("a") for _ in range(20)] == [None] * 20
    assert Rates(0.001, lambda: 0.0).wait("a") is None


def test_clients_without_end_take_no_memory_without_end() -> None:
    rates = Rates(10, lambda: 0.0)
    for number in range(CLIENTS + 100):
        rates.wait(str(number))
    assert len(rates) == CLIENTS


def test_wrong_tokens_share_one_rate_and_spend_nothing_of_a_good_one() -> None:
    guard = Guard(config(token=NEW, rate=1), lambda: 0.0)
    guesses = [status(guard, token=f"Bearer guess-number-{n:06}") for n in range(5)]
    assert guesses == [401, 401, 429, 429, 429]
    assert status(guard, token=f"Bearer {NEW}") == 200


@pytest.mark.parametrize("token", ["", "short", " \n", f"{NEW} short", "é" * 20])
def test_a_token_that_can_be_guessed_is_no_setting(token: str) -> None:
    with pytest.raises(ValidationError, match="16 ASCII characters"):
        config(token=token)


async def test_what_is_answered_to_a_stranger(demo: Path) -> None:
    async with serving(demo, token=SecretStr(NEW), rate=1.0) as client:
        async with client.get("/api/v1/alerts") as answer:
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
            assert await answer.json() == {
                "error": "give a token of [server]: Authorization: Bearer <token>"
            }
        good = {"Authorization": f"Bearer {NEW}"}
        async with client.get("/api/v1/openapi.json", headers=good) as answer:
            assert answer.status == 200
        for path in ("/api/v1/nothing", "/api/v1/openapi.json"):
            async with client.get(path) as answer:
                assert answer.status in (401, 429)  # and never what there is
        async with client.get("/api/v1/alerts") as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
            assert (await answer.json())["error"].startswith("too many requests")

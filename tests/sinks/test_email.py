"""E-mail against a real SMTP server: STARTTLS, logins, refusals, and what a header cannot hold."""

import ssl
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from infra.dev.certificates import certify
from schemas.config import AnySink
from schemas.errors import Mistake
from sinks.delivery.digest import Issue
from sinks.delivery.kinds import connect
from sinks.delivery.memory import Memory
from sinks.delivery.past import NOTE
from sinks.delivery.people import People
from sinks.delivery.sink import Delivered
from sinks.email import Settings
from sinks.email import connect as made
from tests.sinks.alerts import HOSTILE, alert, lives
from tests.sinks.figures import note
from tests.sinks.made import Sinks
from tests.sinks.post import PASSWORD, Post
from tests.sinks.storms import Carrier

ID = "a" * 32
ENTRY = {
    "name": "soc",
    "kind": "email",
    "host": "127.0.0.1",
    "security": "none",
    "sender": "barograph@corp.example",
    "to": ["soc@corp.example", "ana@corp.example"],
    "timeout": "5s",
}


@pytest.fixture
def post() -> Iterator[Post]:
    with Post() as post:
        yield post


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    certify(folder)
    return folder


def entry(post: Post, **more: object) -> dict[str, Any]:
    return ENTRY | {"port": post.port} | more


def tls(certificates: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates / "broker.pem")
    return context


def test_an_alert_as_it_arrives(post: Post, sinks: Sinks) -> None:
    soc = sinks.made(entry(post, link="https://boards.example/d/a?id={id}&s={system}"))
    assert soc.write([alert(ID, thread="7be7")]) == Delivered(1)
    ((to, letter),) = post.letters
    headers = {name: str(value) for name, value in letter.items()}
    assert headers.pop("Date").endswith("-0000")
    assert headers.pop("Content-Type").startswith("multipart/alternative")
    assert to == ["soc@corp.example", "ana@corp.example"]
    assert headers == {
        "From": "barograph@corp.example",
        "To": "soc@corp.example, ana@corp.example",
        "Subject": "WARNING 87 · support-bot: A poisoned tool is at work in support-bot",
        "Message-ID": f"<{ID}-1@corp.example>",
        "In-Reply-To": "<7be7@corp.example>",
        "References": "<7be7@corp.example>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "List-Id": "<soc.barograph.corp.example>",
        "X-Barograph-Alert": ID,
        "Importance": "high",
        "MIME-Version": "1.0",
    }
    text, html = letter.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == (
        "WARNING 87 · support-bot: A poisoned tool is at work in support-bot\n"
        "\n"
        "new: warning, priority 87\n"
        "  An injection reached an agent that may send mail; three families agree.\n"
        "\n"
        "Why\n"
        f"  +2,400 points family:runtime · record {'e' * 64}\n"
        "\n"
        "What next\n"
        "  62 % within 24h: Exfiltration via AI Agent Tool Invocation (AML.T0086); stopped by:"
        " Take mcp-mail/send from the agent\n"
        "\n"
        "What to do\n"
        "  1. Take mcp-mail/send from the agent (AML.M0026): -2400 points\n"
        "\n"
        "Look further\n"
        f"  barograph explain {ID}\n"
        f"  barograph query --name ledger --param alert={ID}\n"
        f"  barograph verify {ID}\n"
        "\n"
        "When\n"
        "  began 2026-01-01 12:00, last seen 2026-01-01 13:30, expires 2026-01-02 13:30 UTC\n"
        "\n"
        f"https://boards.example/d/a?id={ID}&s=support-bot\n"
    )
    page = html.get_content()
    assert f"<a href='https://boards.example/d/a?id={ID}&amp;s=support-bot'>Open it</a>" in page
    assert f"<code>barograph explain {ID}<br>" in page


def test_a_life_is_a_thread_of_what_is_worth_a_letter(post: Post, sinks: Sinks) -> None:
    soc = sinks.made(entry(post))
    soc.write([alert(ID, 1, stage="watch", priority=40)])
    soc.write([alert(ID, 2, stage="watch", priority=41)])
    soc.write([alert(ID, 3, stage="warning", priority=41)])
    soc.write([alert(ID, 4, stage="watch", priority=41)])
    soc.write([alert(ID, 5, "withdrawn", priority=41)])
    letters = [letter for _, letter in post.letters]
    assert [str(letter["Subject"]).partition(" · ")[0] for letter in letters] == [
        "WATCH 40",
        "WARNING 41",
        "WARNING WITHDRAWN 41",
    ]
    assert [letter["Importance"] for letter in letters] == [None, "high", None]
    assert [letter["Message-ID"] for letter in letters] == [
        f"<{ID}-{revision}@corp.example>" for revision in (1, 3, 5)
    ]
    assert len({letter["References"] for letter in letters}) == 1
    assert "<h1 style='font-size:18px'><s>WARNING WITHDRAWN 41" in page(letters[2])


def page(letter: EmailMessage) -> str:
    part = letter.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def test_no_text_becomes_a_header_or_markup(post: Post, sinks: Sinks) -> None:
    mean = f"a\r\nBcc: eve@evil.example\r\n\r\n<script>alert(1)</script>{HOSTILE}"
    long = "\u00fc\U0001f480 " * 400
    soc = sinks.made(entry(post))
    batch = [
        alert(ID, title=mean, system=mean, summary=mean, thread=mean),
        alert("b" * 32, title=long, system=long, summary=long),
        alert("c\r\nX: y", thread="t\r\nX: y"),
    ]
    assert soc.write(batch) == Delivered(3)
    for _, letter in post.letters:
        assert letter["Bcc"] is None
        assert letter["X"] is None
        assert letter["To"] == "soc@corp.example, ana@corp.example"
        assert "<script>" not in page(letter)
        assert len(letter.items()) == 14
    assert str(post.letters[0][1]["Subject"]).startswith("WARNING 87 · a  Bcc: eve@evil[.]example")


@pytest.mark.openssl
def test_it_logs_in_behind_starttls(certificates: Path, sinks: Sinks) -> None:
    with Post(tls(certificates), starttls=True, login=True) as post:
        more = {"security": "starttls", "username": "barograph", "secret": PASSWORD}
        soc = sinks.made(entry(post, ca=str(certificates / "ca.pem"), **more))
        assert soc.write([alert(ID)]) == Delivered(1)
        soc.flush()
        assert (len(post.letters), post.users) == (1, [b"barograph"])


@pytest.mark.openssl
def test_it_speaks_tls_from_the_first_byte(certificates: Path, sinks: Sinks) -> None:
    with Post(tls(certificates)) as post:
        soc = sinks.made(entry(post, security="tls", ca=str(certificates / "ca.pem")))
        assert soc.write([alert(ID)]) == Delivered(1)
        soc.flush()
        assert len(post.letters) == 1


@pytest.mark.openssl
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_stranger_s_certificate_is_not_trusted(
    certificates: Path, sinks: Sinks, security: str
) -> None:
    with Post(tls(certificates), starttls=security == "starttls") as post:
        delivered = sinks.made(entry(post, security=security)).write([alert(ID)])
    assert delivered.misconfigured
    assert "has a certificate that is not trusted" in str(delivered.problem)


@pytest.mark.openssl
def test_a_wrong_password(certificates: Path, sinks: Sinks) -> None:
    with Post(tls(certificates), starttls=True, login=True) as post:
        more = {"security": "starttls", "username": "barograph", "secret": "wrong-example"}
        soc = sinks.made(entry(post, ca=str(certificates / "ca.pem"), **more))
        delivered = soc.write([alert(ID)])
        place = f"127.0.0.1:{post.port}"
    assert delivered.misconfigured
    assert str(delivered.problem).startswith(f"{place} answered 535 ")
    assert "wrong-example" not in str(delivered.problem)


@pytest.mark.openssl
def test_a_server_that_wants_more_than_is_configured(certificates: Path, sinks: Sinks) -> None:
    with Post(tls(certificates), starttls=True) as post:
        delivered = sinks.made(entry(post)).write([alert(ID)])
    assert delivered.misconfigured
    assert " answered 530 " in str(delivered.problem)


def test_a_server_without_starttls(post: Post, sinks: Sinks) -> None:
    delivered = sinks.made(entry(post, security="starttls")).write([alert(ID)])
    assert delivered.misconfigured
    assert "does not do what is configured: STARTTLS" in str(delivered.problem)


@pytest.mark.parametrize(
    ("command", "answer", "verdict"),
    [
        ("MAIL", "421 closing", "retry"),
        ("MAIL", "451 busy", "retry"),
        ("MAIL", "530 log in first", "config"),
        ("MAIL", "553 no such sender here", "config"),
        ("RCPT", "450 mailbox busy", "retry"),
        ("RCPT", "550 no such mailbox", "reject"),
        ("DATA", "421 closing", "retry"),
        ("DATA", "451 try later", "retry"),
        ("DATA", "452 full", "retry"),
        ("DATA", "550 spam", "reject"),
        ("DATA", "552 too large", "reject"),
        ("DATA", "554 no", "reject"),
    ],
)
def test_an_answer(post: Post, sinks: Sinks, command: str, answer: str, verdict: str) -> None:
    soc = sinks.made(entry(post))
    post.says[command] = [answer, answer]  # RCPT: one for each recipient
    delivered = soc.write([alert(ID)])
    said = delivered.problem or "".join(one.reason for one in delivered.refused)
    found = "config" if delivered.misconfigured else "reject" if delivered.refused else "retry"
    assert found == verdict
    assert answer in said
    assert post.letters == []
    post.says.clear()
    if verdict == "retry":
        assert soc.write([alert(ID)]) == Delivered(1)
        assert len(post.letters) == 1


def test_who_was_busy_gets_it_later_and_nobody_twice(post: Post, sinks: Sinks) -> None:
    soc = sinks.made(entry(post))
    post.says["RCPT ana@corp.example"] = ["451 greylisted"]
    delivered = soc.write([alert(ID)])
    assert delivered == Delivered(
        0,
        problem=f"127.0.0.1:{post.port} refused recipients: ana@corp.example: 451 greylisted",
    )
    assert soc.write([alert(ID)]) == Delivered(1)
    assert [to for to, _ in post.letters] == [["soc@corp.example"], ["ana@corp.example"]]


def test_who_is_gone_is_named_and_the_others_have_it(post: Post, sinks: Sinks) -> None:
    soc = sinks.made(entry(post))
    post.says["RCPT soc@corp.example"] = ["550 no such user http://evil.example\x1b[2J"]
    delivered = soc.write([alert(ID)])
    assert [to for to, _ in post.letters] == [["ana@corp.example"]]
    (refused,) = delivered.refused
    assert refused.reason == (
        f"127.0.0.1:{post.port} refused recipients: soc@corp.example:"
        " 550 no such user hxxp[:]//evil[.]example\\x1b[2J"
    )
    soc.write([alert(ID, 2, "final", status="expired")])
    assert [to for to, _ in post.letters][1:] == [["soc@corp.example", "ana@corp.example"]]


def test_a_server_that_is_away(sinks: Sinks) -> None:
    with Post() as post:
        told = entry(post)
    delivered = sinks.made(told).write([alert(ID)])
    assert (delivered.taken, delivered.misconfigured) == (0, False)
    assert str(delivered.problem).startswith(f"127.0.0.1:{told['port']} cannot be reached: ")


def test_how_many_were_passed_over(post: Post, tmp_path: Path) -> None:
    speaker = made(Settings.model_validate(entry(post)), tmp_path).speaker
    assert speaker.gather(Issue("k", (), 0, (), 0, 214, NOTE)).verdict == "ok"
    speaker.rest()
    ((_, letter),) = post.letters
    assert letter["Subject"] == "Barograph: 214 alerts of the past"
    plain = letter.get_body(("plain",))
    assert plain is not None
    assert NOTE in plain.get_content()


def test_a_digest_that_comes_again_is_the_same_letter(
    post: Post, sinks: Sinks, tmp_path: Path
) -> None:
    settings = Settings.model_validate(entry(post, digest="1h"))
    now = [1_767_268_800.0]
    speaker, memory = made(settings, tmp_path).speaker, Memory(tmp_path / "s.sqlite")
    soc = sinks.kept(People(speaker, settings, memory, lambda: now[0]))
    low: dict[str, Any] = {"stage": "watch", "peak_stage": "watch"}
    soc.write([alert(ID, title=HOSTILE, **low), alert("b" * 32, **low)])
    now[0] += 3600
    post.says["RCPT ana@corp.example"] = ["451 greylisted"]
    delivered = soc.flush()
    assert delivered is not None
    assert "451 greylisted" in str(delivered.problem)
    assert soc.flush() == Delivered(0)
    (to, letter), (later, again) = post.letters
    assert (to, later) == (["soc@corp.example"], ["ana@corp.example"])
    assert letter["Message-ID"] == again["Message-ID"]
    assert letter["Subject"] == "Barograph: 2 alerts with news"
    assert f"barograph explain {ID}" in page(letter)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"username": "a"}, "needs both a username and a secret"),
        ({"username": "a", "secret": "b"}, "would send its password in clear"),
        ({"to": []}, "wrong 'to'"),
        ({"to": ["a@b.example\r\nBcc: c@d.example"]}, "an address is like soc@corp.example"),
        ({"to": ["Ana <ana@corp.example>"]}, "an address is like soc@corp.example"),
        ({"to": ["ana"]}, "an address is like soc@corp.example"),
        ({"sender": "a@b.example, c@d.example"}, "an address is like soc@corp.example"),
        ({"security": "ssl"}, "wrong 'security'"),
        ({"ca": "no-such-file.pem"}, "cannot use no-such-file.pem"),
        ({"stages": ["panic"]}, "wrong 'stages.0'"),
    ],
)
def test_settings_that_cannot_be(more: dict[str, object], why: str, tmp_path: Path) -> None:
    with pytest.raises(Mistake, match=why):
        connect(AnySink.model_validate(ENTRY | more), tmp_path)


def killed(carrier: Carrier, due: set[int], number: int) -> None:
    if number in due:
        carrier.kill()


def test_a_storm(post: Post, tmp_path: Path) -> None:
    results = lives(20)
    parts: Sequence[list[Any]] = (results[:20], results[20:])
    kills = 0
    for part in parts:
        carrier = Carrier(tmp_path, entry(post), part)
        due = {len(post.letters) + 7}
        post.taken = partial(killed, carrier, due)
        post.says = {
            "MAIL": ["421 closing", "", "451 busy"],
            "RCPT soc@corp.example": ["", "", "451 greylisted", "", "450 busy"],
            "DATA": ["", "", "", "451 try later", "", "", "421 closing"],
        }
        carrier.start()
        while carrier.ended() == -9:
            kills += 1
            carrier.start()
        assert carrier.refused == 0
    assert kills == 2
    for who in ENTRY["to"]:
        heard: dict[str, list[str]] = {}  # by alert, each Message-ID once, as a mailbox has it
        for to, letter in post.letters:
            if who in to:
                subjects = heard.setdefault(str(letter["X-Barograph-Alert"]).strip(), [])
                subjects += [str(letter["Subject"]).partition(" 87 ")[0]]
        ends = dict.fromkeys(range(20), "WARNING")
        ends |= dict.fromkeys(range(0, 20, 3), "WARNING RESOLVED")
        ends |= dict.fromkeys(range(0, 20, 5), "WARNING WITHDRAWN")
        assert {id_: list(dict.fromkeys(one)) for id_, one in heard.items()} == {
            f"{n:04d}" + "a" * 60: ["OUTLOOK", end] for n, end in ends.items()
        }
    note("email", results=len(results), kills=kills, requests=len(post.letters))

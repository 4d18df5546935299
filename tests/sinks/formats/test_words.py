"""Words: what a person reads of an alert, and that no text in it can act."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.formats.words import checked, ending, headline, inert, words
from tests.sinks.alerts import HOSTILE, body

LINK = "https://boards.example/d/alert?var-alert={id}&var-system={system}#{thread}"


def test_the_words_of_an_alert() -> None:
    told = words(body("a1", thread="7be7", system="support bot/1"), "settled", LINK)
    assert told._asdict() == {
        "headline": "WARNING 87 · support bot/1: A poisoned tool is at work in support-bot",
        "standing": "warning",
        "summary": "An injection reached an agent that may send mail; three families agree.",
        "why": (f"+2,400 points family:runtime · record {'e' * 64}",),
        "next": (
            (
                "62 % within 24h: Exfiltration via AI Agent Tool Invocation (AML.T0086);"
                " stopped by: Take mcp-mail/send from the agent"
            ),
        ),
        "actions": ("1. Take mcp-mail/send from the agent (AML.M0026): -2400 points",),
        "times": "began 2026-01-01 12:00, last seen 2026-01-01 13:30, expires 2026-01-02 13:30 UTC",
        "commands": (
            "barograph explain a1",
            "barograph query --name ledger --param alert=a1",
            "barograph verify a1",
        ),
        "link": "https://boards.example/d/alert?var-alert=a1&var-system=support%20bot%2F1#7be7",
    }


def test_the_heaviest_terms_come_first_and_the_base_is_none() -> None:
    why = [
        {"term": term, "points": points, "evidence": [{"event": f"e{points}", "sha256": "5"}] * n}
        for term, points, n in (
            ("base", -2200, 0),
            ("a/x", 100, 1),
            ("b/y", -900, 0),
            ("c/z", 770, 3),
            ("d/z", 1, 1),
        )
    ]
    told = words(body("a1", why=why), "settled")
    assert told.why == (
        "-900 points b/y",
        "+770 points c/z · record e770 and 2 more",
        "+100 points a/x · record e100",
    )


def test_what_was_left_out_is_not_said() -> None:
    whole = body("a1")
    for name in ("why", "next", "actions", "timeline", "path", "entities", "evidence", "tags"):
        del whole[name]
    told = words(whole, "settled")
    assert (told.why, told.next, told.actions) == ((), (), ())


def test_what_is_over_says_how_and_why() -> None:
    assert headline(body("a", stage="outlook", status="expired", title="T"), "final") == (
        "WARNING EXPIRED 87 · support-bot: T"
    )
    assert headline(body("a", title="T"), "withdrawn") == "WARNING WITHDRAWN 87 · support-bot: T"
    assert ending(body("a"), "withdrawn").startswith("withdrawn: it never held")
    assert ending(body("a"), "settled") == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see http://a.example/x", "see hxxp[:]//a[.]example/x"),
        ("HTTPS://EVIL.EXAMPLE", "hxxpS[:]//EVIL[.]EXAMPLE"),
        ("ftp://ftp.evil.example", "ftp[:]//ftp[.]evil[.]example"),
        ("www.evil.example/a.b", "www[.]evil[.]example/a.b"),
        ("evil.xn--p1ai and evil\u3002example", "evil[.]xn--p1ai and evil[.]example"),
        ("mailto:a@evil.example", "mailto:a@evil[.]example"),
        ("ray 2.6.3 from 203.0.113.140", "ray 2.6.3 from 203.0.113.140"),
        ("a.\u202eb\u200b\x1b[2J\r\nc\ud800", "a.\\u202eb\\u200b\\x1b[2J  c\\ud800"),
        ("x" * 301, "x" * 299 + "…"),
        ("\U0001f480" * 151, "\U0001f480" * 149 + "…"),
    ],
)
def test_nothing_in_a_text_acts(text: str, shown: str) -> None:
    assert inert(text) == shown


@given(st.text(max_size=500) | st.just(HOSTILE * 40), st.integers(1, 400))
def test_any_text_becomes_one_bounded_line(text: str, limit: int) -> None:
    shown = inert(text, limit)
    assert shown.isprintable()
    assert len(shown.encode("utf-16-le")) <= 2 * limit
    assert not re.search(r"https?:|\w://", shown, re.IGNORECASE)


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("https://b.example/{name}", "a link may hold"),
        ("https://b.example/{}", "a link may hold"),
        ("https://b.example/{id.x}", "a link may hold"),
        ("https://b.example/{id!r}", "a link may hold"),
        ("https://b.example/{id:>99999999}", "a link may hold"),
        ("https://b.example/{id", "a link may hold"),
        ("https://{system}/x", "a link is like"),
        ("javascript:alert(1)//{id}", "a link is like"),
        ("/d/{id}", "a link is like"),
        ("https://b.example/a|b", "a link holds no"),
        ("https://b.example/<{id}>", "a link holds no"),
    ],
)
def test_a_link_that_cannot_be_one(link: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        checked(link)


def test_a_system_cannot_leave_its_place_in_the_link() -> None:
    hostile = body("a", system="x&id=1#/../\n<|> ", thread="t")
    told = words(hostile, "settled", checked(LINK))
    assert told.link == (
        "https://boards.example/d/alert?var-alert=a&var-system=x%26id%3D1%23%2F..%2F%0A%3C%7C%3E%20#t"
    )


def test_a_link_that_a_name_makes_too_long_is_left_out() -> None:
    assert words(body("a", system="x" * 2000), "settled", checked(LINK)).link is None

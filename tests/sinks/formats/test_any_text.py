"""Whatever stands in an alert, each receiver takes the message, and reads it as words."""

import re
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.finding import State
from sinks.formats import adaptive_card, block_kit, letter
from sinks.formats.words import ending, words
from tests.sinks.alerts import HOSTILE, body
from tests.sinks.cards import faults
from tests.sinks.workspace import judged

TEXTS = st.text(max_size=200) | st.sampled_from(
    [HOSTILE, HOSTILE * 99, "<!channel>", "<at>all</at>", "[x](https://evil.example)", "", " "]
)


@st.composite
def alerts(draw: st.DrawFn) -> tuple[dict[str, Any], State]:
    """An alert in which every text is anybody's."""
    told = body("a" * 32, status=draw(st.sampled_from(("open", "expired", "verified"))))
    for name in ("title", "summary", "system", "convergence"):
        told[name] = draw(TEXTS)
    for name in ("why", "next", "actions"):
        for one in told[name]:
            one |= {key: draw(TEXTS) for key, value in one.items() if isinstance(value, str)}
        told[name] *= draw(st.integers(0, 9))
    return told, draw(st.sampled_from(("settled", "withdrawn")))


@given(alerts())
def test_any_text(alert: tuple[dict[str, Any], State]) -> None:
    told, state = alert
    said, over = words(told, state, "https://b.example/{system}"), ending(told, state)
    struck = state == "withdrawn"
    assert judged(block_kit.alert(said, over, struck=struck)) is None
    card = adaptive_card.alert(said, told["stage"], "new", over, struck=struck)
    assert list(faults(adaptive_card.message(card))) == []
    mail = letter.alert(said, "new", over, struck=struck)
    assert set(re.findall(r"<([a-z0-9]+)", mail.html)) <= {
        *("html", "head", "meta", "title", "body", "h1", "h2", "p", "span", "code", "br", "a", "s")
    }
    message = EmailMessage(policy=SMTP)
    message["Subject"] = mail.subject
    assert message.as_bytes().count(b"\r\n\r\n") == 1

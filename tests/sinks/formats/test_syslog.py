from hypothesis import given
from hypothesis import strategies as st

from schemas.rows import Result
from sinks.formats.syslog import message
from tests.sinks.alerts import HOSTILE, alert
from tests.sinks.formats import reading

ID = "ab" * 32


def said(result: Result, text: str = "TEXT", **more: object) -> bytes:
    """The message of a sensor that logs as local0."""
    host = str(more.pop("host", "sensor"))
    return message(result, text, facility=16, host=host, **more)  # type: ignore[arg-type]


def golden(msgid: str, revision: int, state: str, status: str, more: str = "") -> bytes:
    data = (
        f'id="{ID}" revision="{revision}" state="{state}" status="{status}" stage="warning"'
        ' convergence="tool_poisoning" system="support-bot" severity="critical" priority="87"'
        f' confidence="0.91"{more}'
    )
    head = f"<130>1 2026-01-01T13:30:00.250Z sensor barograph - {msgid} [barograph@32473 {data}] "
    return head.encode() + b"\xef\xbb\xbfTEXT"


def test_an_alert_opens_changes_and_ends() -> None:
    assert said(alert(ID)) == golden("opened", 1, "provisional", "open")
    assert said(alert(ID, 2)) == golden("updated", 2, "provisional", "open")
    ended = alert(ID, 4, "final", status="verified")
    assert said(ended) == golden("verified", 4, "final", "verified")
    assert said(alert(ID, 5, "withdrawn")) == golden("withdrawn", 5, "withdrawn", "withdrawn")


def test_it_says_what_is_missing_and_does_without_a_bom() -> None:
    more = ' shortened="path why"'
    shortened = said(alert(ID), shortened=("path", "why"), bom=False)
    assert shortened == golden("opened", 1, "provisional", "open", more).replace(
        b"\xef\xbb\xbf", b""
    )


def test_the_severity_is_that_of_the_alert() -> None:
    levels = ("informational", "low", "medium", "high", "critical")
    told = [reading.message(said(alert(ID, severity=level))).priority for level in levels]
    assert told == [16 * 8 + number for number in (6, 5, 4, 3, 2)]


def test_hostile_texts_stay_in_their_parameters() -> None:
    read = reading.message(said(alert(ID, system=HOSTILE, convergence='"] x="'), HOSTILE))
    spelled = HOSTILE.replace("\n", "\\u000a").replace("\t", "\\u0009")
    spelled = spelled.replace("\x00", "\\u0000").replace("\x1b", "\\u001b")
    assert read.data["system"] == spelled
    assert read.data["convergence"] == '"] x="'
    assert read.text == HOSTILE
    assert list(read.data) == list(reading.message(said(alert(ID))).data)


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_any_text_and_any_host_are_one_message(text: str, host: str) -> None:
    read = reading.message(said(alert(ID, system=text[:256]), text, host=host))
    assert read.text == text
    assert len(read.host) <= 255

import re

from hypothesis import given
from hypothesis import strategies as st

from sinks.formats.cef import cef
from sinks.formats.product import version
from tests.sinks.alerts import HOSTILE, alert
from tests.sinks.formats import reading

ID = "ab" * 32
TEXTS = st.text(st.characters(codec="utf-8"), max_size=80)
# What each line of an extension ends with whatever the alert has become.
REST = (
    "msg=An injection reached an agent that may send mail; three families agree."
    " reason=mcp-mail/send was called from 198.51.100.7 suser=ana@corp.example"
    f" cs1={ID} cs1Label=alertId cs2=support-bot cs2Label=system"
)
MORE = (
    "cs4=attack.initial_access atlas.aml.t0051.001 owasp.llm01-2025 cs4Label=tags"
    " cs5=AML.T0086 Exfiltration via AI Agent Tool Invocation cs5Label=next"
)
ENDING = (
    "cfp1=0.91 cfp1Label=confidence flexString1=Take mcp-mail/send from the agent"
    " flexString1Label=action flexString2=6f99264f1fa5cb9e3a21f8d1adad1bf6 flexString2Label=thread"
)
HEAD = (
    f"CEF:0|Barograph|Barograph|{version()}|tool_poisoning"
    "|A poisoned tool is at work in support-bot|10|"
)
TIMES = "rt=1767274200250 start=1767268800000 end=1767274200250"


def told(act: str, outcome: str, state: str, revision: int, more: str = "") -> str:
    """The whole event of the plain alert."""
    return (
        f"{HEAD}{TIMES} externalId={ID[:40]} act={act} outcome={outcome} cat=warning {REST}"
        f" cs3={state} cs3Label=state {MORE}{more} cn1=87 cn1Label=priority"
        f" cn2={revision} cn2Label=revision {ENDING}"
    )


def visible(text: str) -> str:
    """As CEF carries a text: control characters but for line ends are spelled out."""
    return re.sub(
        "[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]",
        lambda found: f"\\u{ord(found[0]):04x}",
        text,
    )


def test_an_alert_opens_changes_and_ends() -> None:
    assert cef(alert(ID)) == told("opened", "open", "provisional", 1)
    assert cef(alert(ID, 2)) == told("updated", "open", "provisional", 2)
    ended = alert(ID, 4, "final", status="resolved")
    assert cef(ended) == told("resolved", "resolved", "final", 4)
    assert cef(alert(ID, 5, "withdrawn")) == told("withdrawn", "withdrawn", "withdrawn", 5)


def test_it_says_what_is_missing() -> None:
    assert cef(alert(ID, timeline=[]), ["timeline", "path"]) == told(
        "opened", "open", "provisional", 1, " cs6=timeline path cs6Label=shortened"
    ).replace("reason=mcp-mail/send was called from 198.51.100.7 ", "")


def test_hostile_texts_stay_in_their_fields() -> None:
    hostile = alert(ID, title=HOSTILE, summary=HOSTILE, system=HOSTILE, convergence=HOSTILE)
    header, fields = reading.cef(cef(hostile))
    assert header[3] == header[4] == visible(HOSTILE).replace("\n", "\\u000a")
    assert fields["msg"] == fields["cs2"] == visible(HOSTILE)
    assert set(fields) == set(reading.cef(cef(alert(ID))).fields)
    assert "\n" not in cef(hostile)


@given(TEXTS, TEXTS, TEXTS)
def test_any_text_reads_back(title: str, summary: str, user: str) -> None:
    entities = [{"kind": "principal", "id": user or "x"}]
    one = alert(ID, title=title, summary=summary, system=user, entities=entities)
    header, fields = reading.cef(cef(one))
    assert header[4] == re.sub("[\r\n]", lambda end: f"\\u{ord(end[0]):04x}", visible(title))
    assert fields.get("msg", "") == visible(summary)
    assert (fields["cs2"], fields["suser"]) == (visible(user), visible(user or "x"))


def test_a_field_is_never_longer_than_cef_allows() -> None:
    one = alert(ID, summary="=" * 5000, system="\\" * 5000, title="|" * 5000)
    header, fields = reading.cef(cef(one))
    assert fields["msg"] == "=" * 1022 + "\u2026"
    assert fields["cs2"] == "\\" * 3999 + "\u2026"
    assert header[4] == "|" * 511 + "\u2026"


def test_every_level_has_its_number() -> None:
    levels = ("informational", "low", "medium", "high", "critical")
    numbers = [reading.cef(cef(alert(ID, severity=level))).header[5] for level in levels]
    assert numbers == ["0", "3", "6", "8", "10"]

import re

from hypothesis import given
from hypothesis import strategies as st

from sinks.formats.leef import leef
from sinks.formats.product import version
from tests.sinks.alerts import HOSTILE, alert
from tests.sinks.formats import reading

ID = "ab" * 32
TEXTS = st.text(st.characters(codec="utf-8"), max_size=80)


def told(change: str, status: str, state: str, revision: int, more: str = "") -> str:
    """The whole event of the plain alert."""
    return (
        f"LEEF:2.0|Barograph|Barograph|{version()}|tool_poisoning|^|devTime=1767274200250^sev=10"
        f"^cat=warning^usrName=ana@corp.example^alertId={ID}"
        f"^thread=6f99264f1fa5cb9e3a21f8d1adad1bf6^revision={revision}^change={change}"
        f"^status={status}^state={state}^system=support-bot^priority=87^confidence=0.91"
        "^onsetTime=2026-01-01T12:00:00.000000Z^lastTime=2026-01-01T13:30:00.250000Z"
        "^title=A poisoned tool is at work in support-bot"
        "^msg=An injection reached an agent that may send mail; three families agree."
        "^newest=mcp-mail/send was called from 198.51.100.7"
        "^next=AML.T0086 Exfiltration via AI Agent Tool Invocation"
        "^action=Take mcp-mail/send from the agent"
        f"^tags=attack.initial_access atlas.aml.t0051.001 owasp.llm01-2025{more}"
    )


def test_an_alert_opens_changes_and_ends() -> None:
    assert leef(alert(ID)) == told("opened", "open", "provisional", 1)
    assert leef(alert(ID, 2)) == told("updated", "open", "provisional", 2)
    ended = alert(ID, 4, "final", status="expired")
    assert leef(ended) == told("expired", "expired", "final", 4)
    assert leef(alert(ID, 5, "withdrawn")) == told("withdrawn", "withdrawn", "withdrawn", 5)


def test_it_says_what_is_missing() -> None:
    said = told("opened", "open", "provisional", 1, "^shortened=path why")
    assert leef(alert(ID), ["path", "why"]) == said


def test_hostile_texts_read_back() -> None:
    hostile = HOSTILE + "^usrName=root|^sev=1"
    one = alert(ID, title=hostile, summary=hostile, system=hostile, convergence=hostile)
    header, attributes = reading.leef(leef(one))
    assert header[3] == hostile
    assert attributes["title"] == attributes["msg"] == attributes["system"] == hostile
    assert (attributes["usrName"], attributes["sev"]) == ("ana@corp.example", "10")
    assert set(attributes) == set(reading.leef(leef(alert(ID)))[1])


@given(TEXTS, TEXTS, TEXTS)
def test_any_text_reads_back(title: str, convergence: str, user: str) -> None:
    entities = [{"kind": "principal", "id": user}]
    one = leef(alert(ID, title=title, convergence=convergence, entities=entities))
    header, attributes = reading.leef(one)
    assert (header[3], attributes["title"], attributes["usrName"]) == (convergence, title, user)
    assert re.search("[\x00-\x1f]", one) is None


def test_every_level_has_its_number() -> None:
    levels = ("informational", "low", "medium", "high", "critical")
    numbers = [reading.leef(leef(alert(ID, severity=level)))[1]["sev"] for level in levels]
    assert numbers == ["1", "3", "5", "8", "10"]

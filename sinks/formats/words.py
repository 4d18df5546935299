"""Words: what a person is told of an alert, short and inert, whoever wrote the texts in it.

Every text that is not ours comes out of `inert`: one line, bounded, nothing in it acts or links.
What a target would still read as markup (HTML, mrkdwn) the sink of that target escapes.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from string import Formatter
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

from schemas.finding import State

HEADLINE: Final = 140  # characters; a header of Slack takes 150
SYSTEM: Final = 60  # of them
LINE: Final = 300
ADDRESS: Final = 1500
SUMMARY: Final = 600
TERMS, STEPS, ACTIONS = 3, 2, 3  # how many of each a message has
_SPACES: Final = str.maketrans("\n\r\t", "   ")
_WEB: Final = re.compile(r"(?i)\bhttp(s?)(?=:)")
_SCHEME: Final = re.compile(r"(?<=\w):(?=//)")
# A dot that could end the name of a host: clients make a link of `evil.example` by themselves.
_DOT: Final = re.compile(
    r"(?i)(?<=[\w-])[.\u3002\uff0e\uff61](?=(?:[^\W\d_]{2,}|xn--[\w-]+)(?![\w-]))"
)
_LINKED: Final = frozenset(("id", "thread", "system"))
_ENDS: Final = {
    "expired": "it has not held for its time to live",
    "verified": "it has not held for its time to live, and what it foretold happened",
    "resolved": "what it rested on was taken back, or its rule was",
    "superseded": "another alert of this system covers it",
    "withdrawn": "it never held: records that came late disprove it",
}


class Words(NamedTuple):
    """What is said; all of it inert."""

    headline: str
    standing: str
    summary: str
    why: tuple[str, ...]
    next: tuple[str, ...]
    actions: tuple[str, ...]
    times: str
    commands: tuple[str, ...]
    link: str | None


def words(body: Mapping[str, Any], state: State, link: str | None = None) -> Words:
    """The words of an alert as it is now; lists that were left out of it are empty."""
    why = sorted(body.get("why", ()), key=lambda term: -abs(term["points"]))
    terms = [term for term in why if term["term"] != "base"]
    steps, actions = body.get("next", ()), body.get("actions", ())
    id_ = inert(body["id"], 64)
    return Words(
        headline(body, state),
        standing(body, state),
        inert(body.get("summary", ""), SUMMARY),
        tuple(_term(term) for term in terms[:TERMS]),
        tuple(_step(step) for step in steps[:STEPS]),
        tuple(_action(number, one) for number, one in enumerate(actions[:ACTIONS], 1)),
        f"began {_minute(body['onset_time'])}, last seen {_minute(body['last_time'])}"
        f", expires {_minute(body['expires_at'])} UTC",
        (
            f"barograph explain {shlex.quote(id_)}",
            f"barograph query --name ledger --param alert={shlex.quote(id_)}",
            f"barograph verify {shlex.quote(id_)}",
        ),
        linked(link, body),
    )


def headline(body: Mapping[str, Any], state: State) -> str:
    """`WARNING 87 · support-bot: A poisoned tool`; what has ended says so instead of the stage."""
    said, system = standing(body, state).upper(), inert(body["system"], SYSTEM)
    return inert(f"{said} {body['priority']} · {system}: {body['title']}", HEADLINE)


def standing(body: Mapping[str, Any], state: State) -> str:
    """`warning`, `watch expired`, `outlook withdrawn`."""
    if state == "withdrawn":
        return f"{body['peak_stage']} withdrawn"
    if body["status"] != "open":
        return f"{body['peak_stage']} {body['status']}"
    return str(body["stage"])


def ending(body: Mapping[str, Any], state: State) -> str:
    """Why it is over, in a sentence without a full stop; empty while it is not."""
    how = "withdrawn" if state == "withdrawn" else str(body["status"])
    covering = inert(body["superseded_by"], 64) if "superseded_by" in body else ""
    return ": ".join(filter(None, (how, _ENDS[how], covering))) if how in _ENDS else ""


def inert(value: object, limit: int = LINE) -> str:
    r"""One line of at most `limit` characters in which nothing acts and nothing becomes a link.

    Controls, bidirectional and invisible characters are written out (`\x1b`, `\u202e`), the scheme
    of a link is broken (`hxxps[:]//`), and so are names of hosts (`evil[.]example`).
    """
    whole = str(value).translate(_SPACES)
    cut = whole[: 4 * limit]  # writing out makes it longer, never shorter
    seen = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)
    safe = _DOT.sub("[.]", _SCHEME.sub("[:]", _WEB.sub(r"hxxp\1", seen)))
    units = safe.encode("utf-16-le")  # receivers count as JavaScript does: an emoji is two
    if len(units) <= 2 * limit:
        return safe
    return units[: 2 * limit - 2].decode("utf-16-le", "ignore") + "…"


def linked(template: str | None, body: Mapping[str, Any]) -> str | None:
    """The address of this alert where the user looks; None if it would be too long for one."""
    if template is None:
        return None
    link = template.format(**{name: quote(str(body[name]), safe="") for name in _LINKED})
    return link if len(link) <= ADDRESS else None


def checked(template: str) -> str:
    """The template of a link if it can be one; ValueError says what is wrong."""
    try:
        fields = [part[1:] for part in Formatter().parse(template) if part[1] is not None]
    except ValueError:
        fields = [("", "", None)]
    if any(name not in _LINKED or spec or change for name, spec, change in fields):
        raise ValueError("a link may hold {id}, {thread} and {system}, and no other braces")
    url = urlsplit(template)
    if url.scheme not in ("http", "https") or not url.hostname or "{" in url.netloc:
        raise ValueError("a link is like https://boards.example/d/alert?var-alert={id}")
    if not template.isascii() or not template.isprintable() or set(template) & set(' "<>|\\'):
        raise ValueError("a link holds no spaces, quotes, brackets, | and \\: percent-encode them")
    return template


def _term(term: Mapping[str, Any]) -> str:
    shown = f"{term['points']:+,} points {inert(term['term'], 120)}"
    evidence = term.get("evidence", ())
    if evidence:
        rest = f" and {len(evidence) - 1} more" if len(evidence) > 1 else ""
        shown += f" · record {inert(evidence[0]['event'], 80)}{rest}"
    return shown


def _step(step: Mapping[str, Any]) -> str:
    chance = f"{round(100 * step['probability'])} % within {inert(step['horizon'], 20)}"
    name = f"{inert(step['name'], 100)} ({inert(step['technique'], 30)})"
    return f"{chance}: {name}; stopped by: {inert(step['blocking_action'], 160)}"


def _action(number: int, action: Mapping[str, Any]) -> str:
    control = f" ({inert(action['control'], 40)})" if action.get("control") else ""
    return f"{number}. {inert(action['text'], 200)}{control}: {inert(action['effect'], 60)}"


def _minute(time: str) -> str:
    return inert(time[:16].replace("T", " "), 16)

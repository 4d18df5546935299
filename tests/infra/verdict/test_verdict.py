"""Each rule of the verdict, and which word wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.reading.reader import Reader
from infra.verdict.call import Call
from infra.verdict.rules import RULES, WORDS
from infra.verdict.verdict import Reason, reasons, word
from schemas.rows import Result
from tests.infra.written import result, written

EARLY, LATER = "2026-03-02T00:00:00.000000Z", "2026-03-03T00:00:00.000000Z"
CALL = Call(agent="desk", tool="mail/send")
Row = tuple[str, dict[str, Any]]


def asset(entity: str, *, declared: bool = True) -> Result:
    kind, _, id_ = entity.partition(":")
    times = {"first_seen": EARLY, "last_seen": LATER, "observed_from": EARLY}
    more = {"declared_from": EARLY} if declared else {}
    body = {"kind": kind, "id": id_, "sources": ["otel"], "attributes": {}, "history": []}
    return Result("asset", entity, 0, "final", body | times | more)


def edge(from_: str, relation: str, to: str, **more: Any) -> Result:  # noqa: ANN401 - any field
    said = {"from": from_, "relation": relation, "to": to, "valid_from": EARLY, "last_seen": EARLY}
    how = {"declared": False, "observed": True}
    return Result("edge", f"{from_} {relation} {to}", 0, "final", said | how | more)


def alert(id_: str, stage: str, **more: Any) -> Result:  # noqa: ANN401 - any field
    said = {"stage": stage, "status": "open", "system": "application:shop", "title": "T"}
    times = {"priority": 50, "first_time": EARLY, "onset_time": EARLY, "last_time": EARLY}
    meta = {"meta": {"revision": 1, "state": "final"}}
    return result("alert", id_, {"id": id_} | said | times | meta | more)


def fact(id_: str, entity: str, severity: str, **more: Any) -> Result:  # noqa: ANN401 - any field
    said = {"id": id_, "entity": entity, "name": "finding", "state": "open", "severity": severity}
    return result("fact", id_, said | {"since": EARLY, "title": f"{severity} one"} | more)


# Somebody declared that the shop has the server, which serves the tool that its agent uses.
ESTATE = [
    *map(asset, ("application:shop", "agent:desk", "tool:mail/send", "mcp_server:mail", "model:m")),
    edge("application:shop", "runs", "agent:desk"),
    edge("application:shop", "uses", "mcp_server:mail", declared=True),
    edge("agent:desk", "uses", "tool:mail/send"),
    edge("tool:mail/send", "served_by", "mcp_server:mail"),
    result(
        "system",
        "application:shop",
        {
            "id": "application:shop",
            "name": "shop",
            "root": "application:shop",
            "members": ["application:shop", "agent:desk", "tool:mail/send"],
        },
    ),
]
DECLARED = "application:shop uses mcp_server:mail"


def asked(
    folder: Path, rows: list[Result], call: Call = CALL, approved: tuple[str, ...] = ()
) -> tuple[Reason, ...]:
    with Reader(written(folder, rows)) as reader:
        return reasons(reader, call, approved, 60)


def rules(found: tuple[Reason, ...]) -> list[str]:
    return [reason.rule for reason in found]


def test_what_is_declared_and_has_nothing_against_it_is_allowed(tmp_path: Path) -> None:
    found = asked(tmp_path, ESTATE)
    assert found == (Reason("declared", "allow", f"declared: {DECLARED}", (DECLARED,)),)
    assert word(found) == "allow"


@pytest.mark.parametrize(
    ("row", "rule", "verdict", "evidence"),
    [
        (alert("a1", "warning"), "warning_open", "deny", "a1"),
        (alert("a1", "watch"), "watch_open", "warn", "a1"),
        (fact("f1", "agent:desk", "critical"), "critical_open", "deny", "f1"),
        (fact("f1", "mcp_server:mail", "critical"), "critical_open", "deny", "f1"),
        (fact("f1", "tool:mail/send", "high"), "high_open", "warn", "f1"),
        (
            fact("f1", "mcp_server:mail", "low", name="asset.state", instance="deleted"),
            "deleted",
            "deny",
            "mcp_server:mail",
        ),
    ],
)
def test_what_speaks_against_it(
    tmp_path: Path, row: Result, rule: str, verdict: str, evidence: str
) -> None:
    found = asked(tmp_path, [*ESTATE, row])
    assert (found[0].rule, found[0].verdict, found[0].evidence) == (rule, verdict, (evidence,))
    assert word(found) == verdict


@pytest.mark.parametrize(
    "row",
    [
        alert("a1", "outlook"),
        alert("a1", "warning", status="expired"),
        alert("a1", "warning", system="application:other"),
        fact("f1", "agent:desk", "critical", state="resolved"),
        fact("f1", "agent:other", "critical"),
        fact("f1", "agent:desk", "medium"),
    ],
)
def test_what_does_not(tmp_path: Path, row: Result) -> None:
    assert rules(asked(tmp_path, [*ESTATE, row])) == ["declared"]


def test_an_alert_of_another_system_that_names_the_agent_counts(tmp_path: Path) -> None:
    entities = [{"kind": "agent", "id": "desk"}]
    about = alert("a1", "warning", system="application:other", entities=entities)
    assert rules(asked(tmp_path, [*ESTATE, about])) == ["warning_open", "declared"]


def test_a_model_that_others_use_too_does_not_bring_their_alerts(tmp_path: Path) -> None:
    other = {"id": "application:o", "name": "o", "root": "application:o", "members": ["model:m"]}
    rows = [*ESTATE, result("system", "o", other), alert("a1", "warning", system="application:o")]
    assert rules(asked(tmp_path, rows, Call(agent="desk", tool="mail/send", model="m"))) == [
        "declared"
    ]


def test_a_weakness_that_a_vex_statement_takes_back_does_not_count(tmp_path: Path) -> None:
    weak = fact("f1", "agent:desk", "critical", vulnerability="CVE-2026-0001")
    vex = fact("f2", "agent:desk", "low", name="vex", instance="CVE-2026-0001")
    assert rules(asked(tmp_path, [*ESTATE, weak])) == ["critical_open", "declared"]
    assert rules(asked(tmp_path, [*ESTATE, weak, vex])) == ["declared"]


def test_what_was_declared_and_is_no_more_is_denied(tmp_path: Path) -> None:
    taken = edge("application:shop", "uses", "mcp_server:mail", declared=True, valid_to=LATER)
    found = asked(tmp_path, [*ESTATE, taken])
    assert found[0] == Reason(
        "withdrawn",
        "deny",
        f"no longer declared since 2026-03-03T00:00:00Z: {DECLARED}",
        (DECLARED,),
    )
    assert rules(found) == ["withdrawn", "undeclared"]
    again = edge("agent:desk", "uses", "mcp_server:mail", declared=True)
    assert rules(asked(tmp_path, [*ESTATE, taken, again])) == ["declared"]


def test_what_nobody_declared_is_told_apart_from_what_never_was(tmp_path: Path) -> None:
    silent = [row for row in ESTATE if row.id != DECLARED]
    used = asked(tmp_path, silent)
    assert (rules(used), word(used)) == (["undeclared"], "warn")
    assert used[0].evidence == ("agent:desk uses tool:mail/send",)
    never = asked(tmp_path, [row for row in silent if row.id != "agent:desk uses tool:mail/send"])
    assert (rules(never), word(never)) == (["unused"], "warn")
    approved = asked(tmp_path, silent, approved=("mcp_server:m*",))
    assert (rules(approved), word(approved)) == (["approved"], "allow")


def test_what_is_said_of_another_name_of_the_tool_counts(tmp_path: Path) -> None:
    other = "tool:mcp.json#send"
    rows = [*ESTATE, edge("tool:mail/send", "same_as", other), fact("f1", other, "critical")]
    assert rules(asked(tmp_path, rows)) == ["critical_open", "declared"]
    assert rules(asked(tmp_path, rows, CALL.model_copy(update={"tool": other})))[0] == (
        "critical_open"
    )


def test_shadow_ai_is_warned_of(tmp_path: Path) -> None:
    shadow = asset("agent:desk", declared=False)
    assert rules(asked(tmp_path, [*ESTATE, shadow])) == ["shadow", "declared"]
    assert rules(asked(tmp_path, [*ESTATE, shadow], approved=("agent:*",))) == ["declared"]


@pytest.mark.parametrize(
    ("more", "unseen"),
    [
        ({"agent": "nobody"}, "agent:nobody"),
        ({"tool": "mail/other"}, "tool:mail/other"),
        ({"model": "model:other"}, "model:other"),
        ({"principal": "eve"}, "principal:eve"),
        ({"mcp_server": "elsewhere"}, "mcp_server:elsewhere"),
    ],
)
def test_who_was_never_seen_is_unknown_and_never_allowed(
    tmp_path: Path, more: dict[str, str], unseen: str
) -> None:
    found = asked(tmp_path, ESTATE, CALL.model_copy(update=more))
    assert Reason("unseen", "unknown", f"never seen: {unseen}", ()) in found
    assert word(found) == "unknown"


def test_a_session_may_be_new_and_an_empty_store_allows_nothing(tmp_path: Path) -> None:
    assert word(asked(tmp_path, ESTATE, CALL.model_copy(update={"session": "s1"}))) == "allow"
    found = asked(tmp_path, [])
    assert (rules(found), word(found)) == (["unseen", "unseen", "unused"], "unknown")
    assert word(()) == "unknown"


def test_the_gravest_word_wins_and_the_same_store_says_the_same(tmp_path: Path) -> None:
    rows = [
        *ESTATE,
        alert("a2", "warning"),
        alert("a1", "warning"),
        fact("f1", "agent:desk", "high"),
    ]
    call = CALL.model_copy(update={"model": "other"})
    found = asked(tmp_path, rows, call)
    assert [(one.rule, one.evidence) for one in found] == [
        ("warning_open", ("a1",)),
        ("warning_open", ("a2",)),
        ("unseen", ()),
        ("high_open", ("f1",)),
        ("declared", (DECLARED,)),
    ]
    assert word(found) == "deny"
    assert asked(tmp_path, rows[::-1], call) == found


def test_a_name_with_its_kind_and_one_that_is_hostile(tmp_path: Path) -> None:
    assert word(asked(tmp_path, ESTATE, Call(agent="agent:desk", tool="tool:mail/send"))) == "allow"
    hostile = Call(agent="x' OR 1=1 --", tool="\x00'); DROP TABLE alerts; --$names")
    assert word(asked(tmp_path, ESTATE, hostile)) == "unknown"


def test_every_rule_speaks_a_known_word_and_has_a_name_of_its_own() -> None:
    assert {rule.verdict for rule in RULES} == set(WORDS)
    assert len({rule.name for rule in RULES}) == len(RULES)
    weights = [WORDS.index(rule.verdict) for rule in RULES]
    assert weights == sorted(weights)

from infra.reading.explain import Recorded, explain_alert, explain_finding, explain_signal
from schemas.alert import Alert
from schemas.finding import Finding, Signal
from tests.infra.report.sample import FINDING, SIGNAL, evidence, expired, sample, warning


def test_the_points_of_the_ledger_are_those_of_the_sum() -> None:
    lines = list(explain_alert(sample().alerts[0], {}))
    start, end = lines.index("Why") + 2, lines.index("The chain") - 1
    *terms, total = lines[start:end]
    points = [
        int(line.split()[0].replace(",", "").replace("\N{MINUS SIGN}", "-")) for line in terms
    ]
    assert total == "    +2,332  sum, in thousandths of log-odds: priority 91"
    assert sum(points) == 2332


def test_the_story_of_an_alert_is_whole() -> None:
    turned = evidence("turned")[0]
    records = {turned["event"]: Recorded("file:otel.jsonl#7", "tool turned")}
    story = "\n".join(explain_alert(sample().alerts[0], records))
    for part in (
        "warning, priority 91: A trusted tool changed its instructions",
        "  state       settled, revision 5",
        "agent:claims-assistant -uses-> tool:mcp.example.test/fetch_page (walked)",
        "2026-11-20 21:20:40  outlook -> watch: Tool gained a hidden URL  [3]",
        "62 % within 24h: Exfiltration via AI Agent Tool Invocation (AML.T0086)",
        "1. Pin fetch_page to the manifest approved on 2026-11-03 (AML.M0014)",
        "     priority 91 -> 63",
        f"[3] tool turned\n      {turned['event']}  file:otel.jsonl#7\n",
        f"      sha256 {turned['sha256']}",
        f"barograph verify {warning()['id']}",
    ):
        assert part in story


def test_a_closed_alert_says_how_it_ended() -> None:
    first = next(explain_alert(Alert.model_validate(expired()), {}))
    assert first.startswith("watch expired, priority 38:")


def test_a_superseded_alert_says_by_which() -> None:
    covered = {**warning(), "status": "superseded", "superseded_by": "c0ffee"}
    said = list(explain_alert(Alert.model_validate(covered), {}))
    assert [line.split() for line in said if "superseded by" in line] == [
        ["superseded", "by", "c0ffee"]
    ]


def test_a_withdrawn_alert_says_so_first() -> None:
    withdrawn = {**warning(), "meta": {**warning()["meta"], "state": "withdrawn"}}
    first = next(explain_alert(Alert.model_validate(withdrawn), {}))
    assert first.startswith("warning withdrawn, priority ")


def test_parts_without_content_are_left_out() -> None:
    bare = {**warning(), "why": [], "next": [], "actions": [], "path": [], "timeline": []}
    story = list(explain_alert(Alert.model_validate(bare), {}))
    assert [line for line in story if line and not line.startswith(" ")] == [
        f"warning, priority 91: {warning()['title']}",
        "Evidence",
        f"To recompute the hashes: barograph verify {warning()['id']}",
        f"To read a record: barograph explain {evidence('g1')[0]['event']}",
    ]


def test_the_story_of_a_finding() -> None:
    story = "\n".join(explain_finding(Finding.model_validate(FINDING), {}))
    assert "finding (high): Several prompt attacks on one agent" in story
    assert "  group entity.agent  claims-assistant" in story
    assert "  count               12,345" in story
    assert "[2] " in story


def test_the_story_of_a_signal_is_inert() -> None:
    story = "\n".join(explain_signal(Signal.model_validate(SIGNAL), {}))
    assert '  mcp.manifest.cues = ["conceal", "url"]' in story
    assert "  name = \\x1b[2Jgone" in story
    assert "\x1b" not in story


def test_a_signal_of_a_habit_says_what_was_usual() -> None:
    habit = {"habit": {"type": "volume", "total": "301", "usual": "100"}}
    story = list(explain_signal(Signal.model_validate(SIGNAL | habit), {}))
    at = story.index("  type = volume")
    assert story[at - 1 : at + 3] == ["Habit", "  type = volume", "  total = 301", "  usual = 100"]

"""`barograph boards push` with the real client, against a server that keeps Grafana's contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.boards.found import boards
from schemas.rows import Result
from sinks.store import Store
from tests.infra.boards.conftest import Push
from tests.infra.boards.grafana import ADMIN, VIEWER, Grafana

T = "2026-01-01T12:00:00.250000Z"
UIDS = [board.uid for board in boards()]
NO_STORE = "stage changes are left out: there is no store; name one with --store\n"


def alert(state: str = "final", *lines: str) -> Result:
    timeline = [{"time": T, "text": line, "evidence": []} for line in lines]
    body = {
        "system": "application:<b>shop</b>",
        "title": "A story",
        "stage": "watch",
        "status": "open",
        "timeline": timeline,
        "last_time": T,
    }
    return Result("alert", "a" * 32, 0, state, body)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    write(
        tmp_path / "store",
        alert("final", "outlook: one", "more evidence: x", "outlook -> watch: two"),
    )
    return tmp_path / "store"


def write(folder: Path, result: Result) -> None:
    writing = Store(folder, finite=True)
    writing.open(None)
    writing.write([result])
    writing.close()


def test_everything_is_made_and_the_second_push_writes_nothing(
    grafana: Grafana, push: Push
) -> None:
    code, out, said = push()
    assert code == 0
    assert out.splitlines()[:3] == [
        "folder barograph: made",
        "data source barograph-prometheus: made",
        "data source barograph-api: made",
    ]
    assert out.splitlines()[3:9] == [f"dashboard {uid}: made" for uid in UIDS]
    assert all(line.startswith("alert rules ") for line in out.splitlines()[9:])
    made = len(out.splitlines())
    assert said == f"{NO_STORE}{made} written\n"
    assert len(grafana.written) == made
    assert list(grafana.versions) == UIDS
    assert all(versions[0]["folderUid"] == "barograph" for versions in grafana.versions.values())

    assert push() == (0, "", f"{NO_STORE}nothing to write: all is there\n")
    assert len(grafana.written) == made
    assert push("--check") == (0, "", f"{NO_STORE}all is as push would make it\n")
    assert push("--force") == (0, "", f"{NO_STORE}nothing to write: all is there\n")
    assert len(grafana.written) == made


def test_a_check_of_an_empty_server_writes_nothing(grafana: Grafana, push: Push) -> None:
    code, out, said = push("--check")
    assert code == 1
    assert out.splitlines()[0] == "folder barograph: is not there"
    count = len(out.splitlines())
    assert said == f"{NO_STORE}{count} differ from what push would make\n"
    assert grafana.written == []


def test_what_was_edited_is_shown_and_left_alone_until_it_is_forced(
    grafana: Grafana, push: Push
) -> None:
    push()
    panels = grafana.versions["barograph-soc"][-1]["dashboard"]["panels"]
    panels = [panel | {"title": "Mine"} if panel["id"] == 2 else panel for panel in panels]
    grafana.edit("barograph-soc", panels=panels, refresh="5s")
    written = len(grafana.written)
    shown = (
        "dashboard barograph-soc: was edited on the server\n"
        "  refresh: 30s here, 5s on the server\n"
        "  panels[2].title: In the queue here, Mine on the server\n"
    )
    assert push("--check") == (1, shown, f"{NO_STORE}1 differ from what push would make\n")
    rest = "1 edited on the server and left alone: --force overwrites\n"
    assert push() == (1, shown, f"{NO_STORE}0 written, {rest}")
    assert len(grafana.written) == written
    code, out, said = push("--force")
    assert (code, said) == (0, f"{NO_STORE}1 written\n")
    assert out.startswith("dashboard barograph-soc: overwritten\n")
    assert push("--check")[0] == 0


def test_what_an_older_version_of_ours_left_is_brought_up_to_date(
    grafana: Grafana, push: Push
) -> None:
    push()
    newest = grafana.versions["barograph-soc"][-1]
    newest["dashboard"] = newest["dashboard"] | {"title": "An older title"}
    newest["message"] = "barograph 0123456789abcdef of version 0.0.9"
    grafana.folders["barograph"]["title"] = "Old"
    assert push()[:2] == (
        0,
        "folder barograph: brought up to date\ndashboard barograph-soc: brought up to date\n",
    )
    assert (
        grafana.versions["barograph-soc"][-1]["dashboard"]["title"]
        == "Barograph / SOC queue and SLA"
    )
    assert grafana.folders["barograph"]["title"] == "Barograph"


def test_a_data_source_that_was_edited_is_left_alone_and_a_new_address_is_not(
    grafana: Grafana, push: Push, tmp_path: Path
) -> None:
    push()
    api = grafana.sources["barograph-api"]
    assert api["secureJsonFields"] == {"bearerToken": True}
    assert api["jsonData"]["allowedHosts"] == ["https://barograph.example:9464"]
    api["jsonData"] = api["jsonData"] | {"timeoutInSeconds": 5}
    code, out, _ = push()
    assert (code, out) == (
        1,
        (
            "data source barograph-api: was edited on the server\n"
            "  jsonData.timeoutInSeconds: 30 here, 5 on the server\n"
        ),
    )
    push("--force")
    toml = tmp_path / "barograph.toml"
    toml.write_text(toml.read_text().replace("barograph.example", "elsewhere.example"))
    assert push()[:2] == (0, "data source barograph-api: brought up to date\n")
    assert grafana.sources["barograph-api"]["url"] == "https://elsewhere.example:9464"


def test_a_secret_that_the_server_lacks_is_given(grafana: Grafana, push: Push) -> None:
    push()
    grafana.sources["barograph-api"]["secureJsonFields"] = {}
    assert push()[:2] == (0, "data source barograph-api: brought up to date\n")
    assert grafana.sources["barograph-api"]["secureJsonFields"] == {"bearerToken": True}


def test_alert_rules_that_were_unlocked_and_edited_are_left_alone(
    grafana: Grafana, push: Push
) -> None:
    push()
    (_, title), group = next(iter(grafana.groups.items()))
    rule = group["rules"][0]
    rule |= {"for": "99m", "provenance": ""}
    code, out, _ = push()
    assert code == 1
    assert out.splitlines()[0] == f"alert rules {title}: was edited on the server"
    assert f"rules[{rule['uid']}].for: " in out.splitlines()[1]
    rule["provenance"] = "api"  # locked: only we write it
    assert push()[:2] == (0, f"alert rules {title}: brought up to date\n")


def test_stage_changes_become_annotations_once(grafana: Grafana, push: Push, store: Path) -> None:
    assert push("--store", str(store))[1].endswith("stage changes: 2 added\n")
    shop = "application:&lt;b&gt;shop&lt;/b&gt;: A story\n"
    assert [(one["text"], one["tags"]) for one in grafana.annotations.values()] == [
        (f"{shop}outlook -&gt; watch: two", ["barograph-stage", "watch", "alert-aaaaaaaaaaaa"]),
        (f"{shop}outlook: one", ["barograph-stage", "outlook", "alert-aaaaaaaaaaaa"]),
    ]
    assert grafana.annotations[1]["time"] == 1767268800250
    assert push("--store", str(store)) == (0, "", "nothing to write: all is there\n")


def test_stage_changes_of_a_withdrawn_alert_are_taken_away(
    grafana: Grafana, push: Push, store: Path
) -> None:
    push("--store", str(store))
    strangers = {"time": 1, "text": "ours", "tags": ["barograph-stage", "alert-bbbbbbbbbbbb"]}
    grafana.annotations[9] = {"id": 9, **strangers}
    write(store, alert("withdrawn", "outlook: one"))
    assert push("--check", "--store", str(store))[:2] == (1, "stage changes: 2 hold no more\n")
    assert push("--store", str(store))[:2] == (0, "stage changes: 2 deleted\n")
    assert list(grafana.annotations) == [9]


def test_a_wrong_token_is_said(push: Push, grafana: Grafana) -> None:
    assert push(token="glsa_wrong") == (  # noqa: S106
        2,
        "",
        (
            f"barograph: Grafana at {grafana.url} does not know the token; make a service account"
            " token there and say it in BAROGRAPH_GRAFANA__TOKEN or ..._TOKEN_FILE\n"
        ),
    )


def test_a_token_without_rights_may_look_and_not_write(push: Push, grafana: Grafana) -> None:
    assert push("--check", token=VIEWER)[0] == 1
    code, out, said = push(token=VIEWER)
    assert (code, out) == (2, "")
    assert said.startswith("barograph: Grafana does not let this token do it (folder barograph): ")
    assert grafana.folders == {}


def test_who_changes_it_at_the_same_moment_is_not_overwritten(push: Push, grafana: Grafana) -> None:
    push()
    newest = grafana.versions["barograph-soc"][-1]
    newest |= {"message": "barograph 0123456789abcdef of version 0.0.9"}
    newest["dashboard"] = newest["dashboard"] | {"title": "Old", "version": 7}
    code, _, said = push()
    assert code == 3
    assert said == (
        "barograph: somebody else changed it on the server at the same moment (dashboard"
        " barograph-soc): The dashboard has been changed by someone else; push again\n"
    )
    assert newest is grafana.versions["barograph-soc"][-1]


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ((200, "<html>Log in"), 2, "answers with what is no JSON; is it the address of Grafana?\n"),
        ((502, "<html>Bad gateway"), 3, "fails: <html>Bad gateway; try again later\n"),
        ((400, {"message": "bad data"}), 2, "bad data; mend that, or report it to us\n"),
    ],
)
def test_other_answers_are_one_sentence(
    push: Push, grafana: Grafana, answer: tuple[int, object], code: int, said: str
) -> None:
    grafana.failing = {"GET /api/dashboards": answer}
    got, _, sentence = push()
    assert got == code
    assert sentence.startswith("barograph: ")
    assert sentence.endswith(said)
    assert sentence.count("\n") == 1


def test_a_server_that_is_away_is_unavailable(push: Push) -> None:
    code, _, said = push(url="http://127.0.0.1:1")
    assert code == 3
    assert said.startswith("barograph: Grafana at http://127.0.0.1:1 does not answer (")


def test_an_address_that_is_none_is_a_mistake(push: Push) -> None:
    assert push(url="grafana") == (
        2,
        "",
        "barograph: --url grafana is no address of a server; say it like https://grafana.example\n",
    )


def test_no_secret_is_told(push: Push, grafana: Grafana) -> None:
    code, out, said = push()
    assert code == 0
    assert ADMIN not in out + said
    assert "example-api-token" not in out + said + str(grafana.sources)

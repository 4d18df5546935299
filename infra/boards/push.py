"""Push: what the server lacks is written, what somebody edited there is shown and left alone.

Laws: what is the same is not written. What we wrote last is ours to replace. What another hand
changed since is replaced by force only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal, NamedTuple

from infra.boards.alarms import FOLDER, groups
from infra.boards.data_sources import chosen, data_sources, secrets
from infra.boards.difference import Difference, differences
from infra.boards.found import boards
from infra.boards.parts.board import STAGES
from infra.boards.parts.source import Json
from infra.boards.server import Server
from infra.boards.stages import Annotation
from schemas.canonical import digest
from schemas.grafana import GrafanaConfig

State = Literal["missing", "same", "older", "edited"]
_MARK = "barograph"  # where the mark lies in the settings of a data source


@dataclass(frozen=True)
class Thing:
    """One thing as it stands on the server; `write` makes it what it should be.

    edited: another hand changed it since we wrote it. older: we wrote what is there.
    """

    kind: str
    name: str
    state: State
    write: Callable[[], None]
    differs: Sequence[Difference] = ()


class History(NamedTuple):
    """Stage changes that should stand, and the alerts of which this is all."""

    annotations: Sequence[Annotation]
    alerts: frozenset[str]


def things(server: Server, config: GrafanaConfig, *, force: bool) -> Iterator[Thing]:
    """Folder, data sources, boards and alert rules, in the order in which they need each other."""
    yield _folder(server, config.folder)
    for source in data_sources(config):
        yield _source(server, source, secrets(config, source))
    uids = chosen(config)
    for board in boards():
        yield _dashboard(server, board.json(uids), force=force)
    if asks(config):
        for group in groups(uids["prometheus"]):
            yield _group(server, group)


def asks(config: GrafanaConfig) -> bool:
    """True if it is known which Prometheus alert rules ask."""
    return not (config.prometheus is None and config.prometheus_uid is None)


def history(server: Server, wanted: History) -> tuple[list[Annotation], list[int]]:
    """The stage changes that are missing, and the ids of those that hold no more."""
    there: dict[tuple[int, str], int] = {}
    stale: list[int] = []
    stand = {(one.time, one.text) for one in wanted.annotations}
    for one in server.annotations(STAGES):
        key = (int(one["time"]), str(one["text"]))
        ours = any(tag.removeprefix("alert-") in wanted.alerts for tag in one.get("tags", ()))
        if key in there or (ours and key not in stand):
            stale.append(int(one["id"]))
        else:
            there[key] = int(one["id"])
    return [one for one in wanted.annotations if (one.time, one.text) not in there], stale


def _folder(server: Server, title: str) -> Thing:
    known = server.folder(FOLDER)
    differs = [] if known is None else list(differences({"title": title}, known, stated=True))
    state: State = "missing" if known is None else "older" if differs else "same"
    return Thing("folder", FOLDER, state, lambda: server.put_folder(FOLDER, title, known), differs)


def _source(server: Server, source: Json, secret: dict[str, str]) -> Thing:
    """Its mark lies in its settings: a hash of what we wrote, which another hand leaves behind."""
    uid = str(source["uid"])
    known = server.source(uid)
    settings = source["jsonData"]
    whole = source | {"jsonData": settings | {_MARK: digest(source)}}

    def write() -> None:
        server.put_source(whole | ({"secureJsonData": secret} if secret else {}), known)

    if known is None:
        return Thing("data source", uid, "missing", write)
    differs = list(differences(source, known, stated=True))
    lacking = [name for name in secret if not known.get("secureJsonFields", {}).get(name)]
    differs += [Difference(f"secureJsonData.{name}", "a secret", "-") for name in lacking]
    theirs = known.get("jsonData", {})
    stood = {key: known.get(key) for key in source} | {
        "jsonData": {key: value for key, value in theirs.items() if key != _MARK}
    }
    last = theirs.get(_MARK) == digest(stood)
    state: State = "same" if not differs else "older" if last or lacking else "edited"
    return Thing("data source", uid, state, write, differs)


def _dashboard(server: Server, ours: Json, *, force: bool) -> Thing:
    """Its mark is in the message of its newest version: every edit makes a version of its own."""
    uid = str(ours["uid"])
    mark = f"barograph {digest(ours)[:16]}"
    known = server.dashboard(uid)
    if known is None:
        return Thing("dashboard", uid, "missing", _writes(server, ours, mark, force=force))
    theirs, meta = known["dashboard"], known.get("meta", {})
    differs = list(differences(ours, theirs))
    if meta.get("folderUid") != FOLDER:
        differs.append(Difference("folder", FOLDER, str(meta.get("folderUid") or "-")))
    message = server.last_message(uid)
    if not differs or message.startswith(mark):
        state: State = "same"
    else:
        state = "older" if message.startswith("barograph ") else "edited"
    over = {"version": theirs.get("version"), "id": theirs.get("id")}
    return Thing("dashboard", uid, state, _writes(server, ours | over, mark, force=force), differs)


def _writes(server: Server, dashboard: Json, mark: str, *, force: bool) -> Callable[[], None]:
    message = f"{mark} of version {version('barograph')}"
    return lambda: server.put_dashboard(dashboard, FOLDER, message, force=force)


def _group(server: Server, group: Json) -> Thing:
    """Grafana locks rules that came by its API: who edits one must take the lock off first."""
    title = str(group["title"])
    known = server.group(FOLDER, title)
    if known is None:
        return Thing("alert rules", title, "missing", lambda: server.put_group(group))
    differs = list(differences(group, known, stated=True))
    names = {rule["uid"] for rule in group["rules"]}
    differs += [
        Difference(f"rules[{rule['uid']}]", "-", str(rule["title"]))
        for rule in known["rules"]
        if rule["uid"] not in names
    ]
    locked = all(rule.get("provenance") == "api" for rule in known["rules"])
    state: State = "same" if not differs else "older" if locked else "edited"
    return Thing("alert rules", title, state, lambda: server.put_group(group), differs)

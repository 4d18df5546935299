"""A server that keeps the contract of Grafana's HTTP API, as far as boards are pushed to it.

What it answers was written down from Grafana's documents and its client: paths, codes, messages,
versions of dashboards with their messages, secrets that are never given back, locked alert rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Json = dict[str, Any]
Answer = tuple[int, Any]
ADMIN, VIEWER = "glsa_example_admin", "glsa_example_viewer"
DENIED = "You'll need additional permissions to perform this action. Permissions needed: any of"


class Grafana:
    """What the server holds. `written` lists every request that changed something."""

    def __init__(self) -> None:
        self.folders: dict[str, Json] = {}
        self.sources: dict[str, Json] = {}
        self.versions: dict[str, list[Json]] = {}
        self.groups: dict[tuple[str, str], Json] = {}
        self.annotations: dict[int, Json] = {}
        self.written: list[str] = []
        self.asked: list[str] = []
        self.failing: Mapping[str, Answer] = {}  # by the start of `METHOD /path`
        self.url = ""

    def edit(self, uid: str, **fields: Any) -> None:  # noqa: ANN401 - JSON
        """Somebody changes a dashboard in the browser and saves it without a message."""
        newest = self.versions[uid][-1]
        board = deepcopy(newest["dashboard"]) | fields | {"version": newest["version"] + 1}
        self._version(uid, board, newest["folderUid"], "", "ann")

    def answer(self, method: str, path: str, query: Json, body: Json) -> Answer:
        self.asked.append(f"{method} {path}")
        if method != "GET":
            self.written.append(f"{method} {path}")
        for pattern, act in self._routes().items():
            if match := re.fullmatch(pattern, f"{method} /api/{path.removeprefix('/api/')}"):
                return act(*match.groups(), query, body)
        return 404, {"message": "Not found"}

    def _routes(self) -> dict[str, Callable[..., Answer]]:
        group = "/api/v1/provisioning/folder/([^/]+)/rule-groups/([^/]+)"
        return {
            "GET /api/folders/([^/]+)": lambda uid, *_: found(
                self.folders.get(uid), "folder not found"
            ),
            "POST /api/folders": self._make_folder,
            "PUT /api/folders/([^/]+)": self._rename_folder,
            "GET /api/datasources/uid/([^/]+)": lambda uid, *_: found(
                self.sources.get(uid), "Data source not found"
            ),
            "POST /api/datasources": self._make_source,
            "PUT /api/datasources/uid/([^/]+)": self._write_source,
            "GET /api/dashboards/uid/([^/]+)": self._dashboard,
            "GET /api/dashboards/uid/([^/]+)/versions": self._versions,
            "POST /api/dashboards/db": self._save,
            f"GET {group}": lambda folder, title, *_: found(self.groups.get((folder, title)), ""),
            f"PUT {group}": self._write_group,
            "GET /api/annotations": self._annotations,
            "POST /api/annotations": self._annotate,
            r"DELETE /api/annotations/(\d+)": lambda number, *_: found(
                self.annotations.pop(int(number), None), "Could not find annotation"
            ),
        }

    def _make_folder(self, _: Json, body: Json) -> Answer:
        if any(folder["title"] == body["title"] for folder in self.folders.values()):
            return 409, {
                "message": "a folder with the same name already exists in the current location"
            }
        folder = {"id": len(self.folders) + 1, "version": 1, **body}
        self.folders[body["uid"]] = folder
        return 200, folder

    def _rename_folder(self, uid: str, _: Json, body: Json) -> Answer:
        folder = self.folders[uid]
        if body.get("version") != folder["version"] and not body.get("overwrite"):
            return 412, {
                "status": "version-mismatch",
                "message": "the folder has been changed by someone else",
            }
        folder |= {"title": body["title"], "version": folder["version"] + 1}
        return 200, folder

    def _make_source(self, _: Json, body: Json) -> Answer:
        if any(source["name"] == body["name"] for source in self.sources.values()):
            return 409, {"message": "data source with the same name already exists"}
        return self._keep_source(body, "Datasource added")

    def _write_source(self, uid: str, _: Json, body: Json) -> Answer:
        if uid not in self.sources:
            return 404, {"message": "Data source not found"}
        return self._keep_source(body, "Datasource updated")

    def _keep_source(self, body: Json, message: str) -> Answer:
        uid = body["uid"]
        before = self.sources.get(uid, {})
        secrets = before.get("secureJsonFields", {}) | dict.fromkeys(
            body.pop("secureJsonData", {}), True
        )
        kept = {
            "id": before.get("id", len(self.sources) + 1),
            "orgId": 1,
            "typeLogoUrl": "",
            "user": "",
            "database": "",
            "basicAuth": False,
            "basicAuthUser": "",
            "withCredentials": False,
            "isDefault": False,
            "version": before.get("version", 0) + 1,
            "readOnly": False,
            **body,
            "secureJsonFields": secrets,
        }
        self.sources[uid] = kept
        return 200, {"datasource": kept, "id": kept["id"], "message": message, "name": kept["name"]}

    def _dashboard(self, uid: str, *_: Json) -> Answer:
        if uid not in self.versions:
            return 404, {"message": "Dashboard not found", "status": "not-found"}
        newest = self.versions[uid][-1]
        meta = {
            "type": "db",
            "url": f"/d/{uid}",
            "version": newest["version"],
            "updatedBy": newest["createdBy"],
            "folderUid": newest["folderUid"],
            "provisioned": False,
        }
        return 200, {"dashboard": newest["dashboard"], "meta": meta}

    def _versions(self, uid: str, query: Json, _: Json) -> Answer:
        shown = [
            {key: version[key] for key in ("id", "version", "message", "createdBy")}
            for version in reversed(self.versions[uid])
        ]
        return 200, {
            "continueToken": "",
            "versions": shown[: int(query.get("limit", ["0"])[0]) or None],
        }

    def _save(self, _: Json, body: Json) -> Answer:
        board = body["dashboard"]
        uid, known = board["uid"], self.versions.get(board["uid"])
        if body["folderUid"] not in self.folders:
            return 400, {"message": "folder not found", "status": "not-found"}
        number = 1
        if known is not None:
            if not body["overwrite"] and board.get("version") != known[-1]["version"]:
                changed = "The dashboard has been changed by someone else"
                return 412, {"status": "version-mismatch", "message": changed}
            number = known[-1]["version"] + 1
        # What a newer server does to a first form: it sets defaults of its own.
        kept = board | {"id": len(self.versions) + 1, "version": number, "preload": False}
        self._version(uid, kept, body["folderUid"], body.get("message", ""), "sa-barograph")
        return 200, {
            "id": kept["id"],
            "uid": uid,
            "url": f"/d/{uid}",
            "status": "success",
            "version": number,
        }

    def _version(self, uid: str, board: Json, folder: str, message: str, by: str) -> None:
        versions = self.versions.setdefault(uid, [])
        versions.append(
            {
                "id": len(versions) + 1,
                "version": board["version"],
                "message": message,
                "createdBy": by,
                "folderUid": folder,
                "dashboard": board,
            }
        )

    def _write_group(self, folder: str, title: str, _: Json, body: Json) -> Answer:
        if folder not in self.folders:
            return 404, {"message": "folder not found"}
        if any(not re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", rule["uid"]) for rule in body["rules"]):
            return 400, {"message": "invalid alert rule: UID is longer than 40 symbols"}
        rules = [
            {"id": n, "orgID": 1, "updated": "2026-11-21T00:00:00Z", "provenance": "api", **rule}
            for n, rule in enumerate(body["rules"], start=1)
        ]
        self.groups[folder, title] = body | {"rules": rules}
        return 200, self.groups[folder, title]

    def _annotations(self, query: Json, _: Json) -> Answer:
        wanted, limit = set(query.get("tags", [])), int(query.get("limit", ["100"])[0])
        found = [one for one in self.annotations.values() if wanted <= set(one["tags"])]
        return 200, found[:limit]

    def _annotate(self, _: Json, body: Json) -> Answer:
        if not body.get("text"):
            return 400, {
                "message": "Failed to save annotation",
                "error": "text field should not be empty",
            }
        number = len(self.annotations) + 1
        kept = {key: body[key] for key in ("time", "text", "tags")}
        self.annotations[number] = {"id": number, "timeEnd": body["time"], **kept}
        return 200, {"id": number, "message": "Annotation added"}


def found(thing: Json | None, message: str) -> Answer:
    return (404, {"message": message}) if thing is None else (200, thing)


@contextmanager
def serving(grafana: Grafana) -> Iterator[str]:
    """Yield the address at which it answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            size = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(size)
            code, said = self.decided(body)
            text = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            self.send_response(code)
            kind = "text/html" if isinstance(said, str) else "application/json; charset=UTF-8"
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def decided(self, body: bytes) -> Answer:
            url = urlsplit(self.path)
            asked = f"{self.command} {url.path}"
            for start, answer in grafana.failing.items():
                if asked.startswith(start):
                    return answer
            token = self.headers.get("authorization", "").removeprefix("Bearer ")
            if token not in {ADMIN, VIEWER}:
                return 401, {
                    "message": "Invalid API key",
                    "messageId": "api-key.invalid",
                    "statusCode": 401,
                }
            if token == VIEWER and self.command != "GET":
                return 403, {"accessErrorId": "ACE1", "message": DENIED, "title": "Access denied"}
            sent = json.loads(body) if body else {}
            return grafana.answer(self.command, unquote(url.path), parse_qs(url.query), sent)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()

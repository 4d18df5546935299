"""A cluster that keeps the contract of the bulk API: for what a real node cannot be made to say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from tests.sinks.receiving import Reply, Request
from tests.sinks.storms import Told

Distribution = str | None
_BULK: Final = re.compile(r"/([^/]+)/_bulk\?filter_path=.+")


class Cluster:
    """Its data streams append only, its indices keep the highest external version.

    `login`: the one Authorization that it takes. `odd`: what it says of a document instead of
    taking it, by its `_id`, once each. `whole`: what it says to the next requests.
    """

    def __init__(self, login: str | None = None, distribution: Distribution = None) -> None:
        self._login, self._distribution = login, distribution
        self.templates: dict[str, dict[str, Any]] = {}
        self.streams: dict[str, dict[str, dict[str, Any]]] = {}
        self.indices: dict[str, dict[str, tuple[int, dict[str, Any]]]] = {}
        self.told: list[Told] = []
        self.odd: dict[str, dict[str, Any]] = {}
        self.whole: list[Reply] = []
        self.counts: list[int] = []

    def answer(self, request: Request) -> Reply:
        """What a cluster answers."""
        if self._login is not None and request.headers.get("authorization") != self._login:
            return failed(401, "security_exception", "missing authentication credentials")
        return self.whole.pop(0) if self.whole else self._judged(request)

    def _judged(self, request: Request) -> Reply:
        if request.method == "GET" and request.path == "/":
            version = {"number": "9.2.0"}
            if self._distribution:
                version["distribution"] = self._distribution
            return Reply(200, orjson.dumps({"version": version, "tagline": "You Know, for Search"}))
        if request.method == "PUT" and request.path.startswith("/_index_template/"):
            self.templates[request.path.rpartition("/")[2]] = orjson.loads(request.body)
            return Reply(200, b'{"acknowledged":true}')
        found = _BULK.fullmatch(request.path)
        if request.method != "POST" or found is None:
            return failed(405, "method_not_allowed", request.path)
        if request.headers["content-type"] != "application/x-ndjson":
            return failed(406, "media_type_header_exception", "not NDJSON")
        return self._bulk(found[1], request.body)

    def _bulk(self, target: str, body: bytes) -> Reply:
        if not body.endswith(b"\n"):
            return failed(400, "illegal_argument_exception", "must be terminated by a newline")
        lines = body.split(b"\n")[:-1]
        self.counts.append(len(lines) // 2)
        items = []
        for action, document in zip(lines[::2], lines[1::2], strict=True):
            ((verb, meta),) = orjson.loads(action).items()
            said = self.odd.pop(meta["_id"], None) or self._one(
                target, verb, meta, orjson.loads(document)
            )
            items.append({verb: said})
        return Reply(200, orjson.dumps({"items": items}))

    def _one(
        self, target: str, verb: str, meta: Mapping[str, Any], document: dict[str, Any]
    ) -> dict[str, Any]:
        if "@timestamp" not in document:
            return refused(400, "document_parsing_exception", "field [@timestamp] is missing")
        datetime.fromisoformat(document["@timestamp"])
        if self._append_only(target):
            return self._append(self.streams.setdefault(target, {}), verb, meta, document)
        return self._replace(self.indices.setdefault(target, {}), verb, meta, document)

    def _append(
        self, held: dict[str, Any], verb: str, meta: Mapping[str, Any], document: dict[str, Any]
    ) -> dict[str, Any]:
        if verb != "create":
            why = "only write ops with an op_type of create are allowed in data streams"
            return refused(400, "illegal_argument_exception", why)
        if meta["_id"] in held:
            return refused(409, "version_conflict_engine_exception", "already exists")
        held[meta["_id"]] = document
        self.told.append(state(document))
        return {"status": 201}

    def _replace(
        self, kept: dict[str, Any], verb: str, meta: Mapping[str, Any], document: dict[str, Any]
    ) -> dict[str, Any]:
        if (verb, meta["version_type"]) != ("index", "external"):
            return refused(400, "illegal_argument_exception", "this cluster wants versions")
        if meta["_id"] in kept and kept[meta["_id"]][0] >= meta["version"]:
            return refused(409, "version_conflict_engine_exception", "current version is higher")
        kept[meta["_id"]] = (meta["version"], document)
        self.told.append(state(document))
        return {"status": 201}

    def _append_only(self, target: str) -> bool:
        return any(
            "data_stream" in template and target in template["index_patterns"]
            for template in self.templates.values()
        )


def state(document: Mapping[str, Any]) -> Told:
    """The state of an alert that a document shows."""
    told = document["barograph"]
    return Told(told["id"], told["revision"], told["closed"])


def refused(status: int, kind: str, reason: str, because: str = "") -> dict[str, Any]:
    """What a cluster says of one document."""
    error: dict[str, Any] = {"type": kind, "reason": reason}
    if because:
        error["caused_by"] = {"reason": because}
    return {"status": status, "error": error}


def failed(status: int, kind: str, reason: str, headers: Mapping[str, str] = {}) -> Reply:
    """What a cluster says of a whole request."""
    body = orjson.dumps({"error": {"type": kind, "reason": reason}, "status": status})
    return Reply(status, body, headers)

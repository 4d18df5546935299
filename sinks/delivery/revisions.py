"""Revisions: the `meta` of every finding and alert that this store has ever emitted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Self

import msgspec

from schemas.canonical import digest
from schemas.finding import State
from schemas.rows import Result, ResultKind
from schemas.times import rfc3339

# What is final is not emitted again and origins are of use to recent evidence: both memories are
# bounded.
EPISODES = 500_000
ORIGINS = 100_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS emitted (
  number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL,
  line TEXT NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL, state TEXT NOT NULL,
  sha TEXT NOT NULL, revision INTEGER NOT NULL, supersedes TEXT, UNIQUE (kind, id));
CREATE INDEX IF NOT EXISTS emitted_line ON emitted (kind, line);
CREATE TABLE IF NOT EXISTS origin (
  number INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL UNIQUE, origin TEXT NOT NULL);
"""

_Line = tuple[int, str, str, str, str, str, str, str, int, str | None]


class _Envelope(msgspec.Struct, frozen=True, array_like=True, tag="result"):
    """A serialised Result whose body is left as bytes."""

    kind: ResultKind
    id: str
    time: int
    state: State
    body: msgspec.Raw


class _Where(msgspec.Struct):
    origin: str


class _Event(msgspec.Struct):
    uid: str
    evidence: _Where


class _Proof(msgspec.Struct):
    event: str


class _Episode(msgspec.Struct):
    """What a finding and an alert have in common.

    Times are RFC 3339 texts of one length, so they compare.
    """

    body_sha256: str
    first_time: str
    last_time: str
    thread: str | None = None
    rule: str | None = None
    group: dict[str, str] = {}
    evidence: tuple[_Proof, ...] = ()


class Stamped(NamedTuple):
    """A serialised Result with its kind, and its meta (JSON) where its kind has one."""

    kind: ResultKind
    result: bytes
    meta: bytes | None


_KNOWN = frozenset(
    ("event", "finding", "alert")
)  # the kinds that get a meta, and the one whose origins it names

_envelope = msgspec.msgpack.Decoder(_Envelope)
_event = msgspec.msgpack.Decoder(_Event)
_episode = msgspec.msgpack.Decoder(_Episode)


def with_meta(result: Result, meta: bytes | None) -> Result:
    """The result with this meta (JSON) in its body."""
    if meta is None:
        return result
    return msgspec.structs.replace(result, body={**result.body, "meta": msgspec.json.decode(meta)})


class Revisions:
    """Counts over one SQLite connection, inside whatever transaction the caller has open.

    The journal passes its own connection, so revisions are saved with the results that they number.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        for statement in _SCHEMA.split(
            ";"
        ):  # not executescript: that would commit what the caller has open
            db.execute(statement)
        # Where no event passes, as in a keyed stage of Kafka, there is no origin to be found.
        (self._named,) = db.execute("SELECT EXISTS (SELECT 1 FROM origin)").fetchone()

    @classmethod
    def in_memory(cls) -> Self:
        """Those of a replay, which begins with nothing and leaves nothing."""
        return cls(sqlite3.connect(":memory:", isolation_level=None))

    def stamped(self, results: Sequence[Result], emitted: int) -> list[Result]:
        """As `stamp`, for results that never were serialised: `meta` is in their bodies."""
        known = [msgspec.msgpack.encode(result) for result in results if result.kind in _KNOWN]
        stamps = self.stamp(known, emitted)
        return [
            with_meta(result, next(stamps).meta) if result.kind in _KNOWN else result
            for result in results
        ]

    def stamp(self, results: Sequence[bytes], emitted: int) -> Iterator[Stamped]:
        """Serialised Results in order of emission -> the same with meta.

        `emitted` is the wall clock (microseconds). revision = 1 + how often the body or state of
        this id has changed so far. supersedes and superseded_by name the overlapping episode of the
        same alert thread (or of the same rule and group) when one of the two is withdrawn. origins
        are those of the evidence among the newest 100,000 events; the store keeps all.
        """
        envelopes = [_envelope.decode(result) for result in results]
        self._remember(envelopes)
        for result, envelope in zip(results, envelopes, strict=True):
            meta = None
            if envelope.kind in ("finding", "alert"):
                meta = msgspec.json.encode(self._meta(envelope, emitted))
            yield Stamped(envelope.kind, result, meta)

    def trim(self) -> None:
        """Forget final episodes older than the newest 500,000, and the oldest origins."""
        self.forget(EPISODES)
        self._db.execute(
            "DELETE FROM origin WHERE number <= (SELECT max(number) FROM origin) - ?", (ORIGINS,)
        )

    def number(self, kind: str, id_: str) -> int:
        """The newest revision of an id, 0 of one that was never stamped."""
        found = self._db.execute(
            "SELECT revision FROM emitted WHERE kind = ? AND id = ?", (kind, id_)
        ).fetchone()
        return 0 if found is None else int(found[0])

    def line(self, kind: str, id_: str) -> bytes:
        """What is known of an id that was stamped, to be saved elsewhere and given to `load`."""
        found = self._db.execute("SELECT * FROM emitted WHERE kind = ? AND id = ?", (kind, id_))
        return msgspec.json.encode(found.fetchone())

    def load(self, lines: Iterable[bytes]) -> None:
        """Take over what `line` gave, in any order."""
        rows = sorted((msgspec.json.decode(line, type=_Line) for line in lines), key=lambda r: r[0])
        self._db.executemany(
            "INSERT OR REPLACE INTO emitted VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
        )

    def forget(self, most: int) -> list[tuple[str, str]]:
        """Forget final episodes older than the newest `most`; their kinds and ids."""
        return self._db.execute(
            "DELETE FROM emitted WHERE state IN ('final', 'withdrawn')"
            " AND number <= (SELECT max(number) FROM emitted) - ? RETURNING kind, id",
            (most,),
        ).fetchall()

    def _remember(self, envelopes: Sequence[_Envelope]) -> None:
        events = [_event.decode(one.body) for one in envelopes if one.kind == "event"]
        self._named = self._named or bool(events)
        self._db.executemany(
            "INSERT OR IGNORE INTO origin (event, origin) VALUES (?, ?)",
            ((event.uid, event.evidence.origin) for event in events),
        )

    def _meta(self, envelope: _Envelope, emitted: int) -> dict[str, Any]:
        body = _episode.decode(envelope.body)
        line = body.thread or digest(body.rule, body.group)
        before = self._db.execute(
            "SELECT revision, sha, state, supersedes FROM emitted WHERE kind = ? AND id = ?",
            (envelope.kind, envelope.id),
        ).fetchone()
        revision, sha, state, supersedes = before or (0, None, None, None)
        if (sha, state) != (body.body_sha256, envelope.state):
            revision += 1
        withdrawn = envelope.state == "withdrawn"
        superseded_by = self._other(envelope, body, line, withdrawn=False) if withdrawn else None
        if not withdrawn and before is None:
            supersedes = self._other(envelope, body, line, withdrawn=True)
        self._db.execute(
            "INSERT INTO emitted (kind, id, line, first, last, state, sha, revision, supersedes)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET"
            " first = excluded.first, last = excluded.last, state = excluded.state,"
            " sha = excluded.sha, revision = excluded.revision",
            (
                *(envelope.kind, envelope.id, line, body.first_time, body.last_time),
                *(envelope.state, body.body_sha256, revision, supersedes),
            ),
        )
        meta = {
            "state": envelope.state,
            "revision": revision,
            "supersedes": supersedes,
            "superseded_by": superseded_by,
            "origins": self._origins(body),
            "emitted": rfc3339(emitted),
        }
        return {name: value for name, value in meta.items() if value}

    def _other(
        self, envelope: _Envelope, body: _Episode, line: str, *, withdrawn: bool
    ) -> str | None:
        found = self._db.execute(
            "SELECT id FROM emitted WHERE kind = ? AND line = ? AND id <> ?"
            " AND first <= ? AND last >= ? AND (state = 'withdrawn') = ?"
            " ORDER BY number DESC LIMIT 1",
            (envelope.kind, line, envelope.id, body.last_time, body.first_time, withdrawn),
        ).fetchone()
        return None if found is None else str(found[0])

    def _origins(self, body: _Episode) -> list[str]:
        if not self._named:
            return []
        known = (
            self._db.execute("SELECT origin FROM origin WHERE event = ?", (proof.event,)).fetchone()
            for proof in body.evidence
        )
        return [origin[0] for origin in known if origin is not None]

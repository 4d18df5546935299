"""Statements: what a parsed record says by the rules that match it, as rows and results."""

from __future__ import annotations

from collections.abc import Container, Sequence
from functools import lru_cache
from typing import NamedTuple

from correlators.claims import facts, signal
from correlators.habits.observed import observation
from correlators.normal import normal_form
from correlators.routes import Routes
from correlators.sigma.rule import Rule
from correlators.sigma.values import MISSING, reader
from schemas.detection import Detection
from schemas.rows import Output, Result
from streams.matchers import Matchers
from streams.source import Json, Parsed


class Match(NamedTuple):
    """A detection that matches, and the fields that its signal keeps of the record."""

    detection: Detection
    fields: dict[str, Json]


class Statements:
    """Says what the records of a stage mean."""

    def __init__(self, matchers: Matchers, routes: Routes) -> None:
        self._matchers, self._routes = matchers, routes

    def of(
        self, parsed: Parsed, decoded: Json, vendor: Sequence[Rule], watermark: int | None
    ) -> list[Output]:
        """Signals and observations, facts, then the event.

        `vendor`: the rules that match the record as it was `decoded`. `watermark`: what a record
        that is late came behind.
        """
        event, matches = parsed.event, self.matches(parsed, decoded, vendor)
        body, told = event.body(), list[Output]()
        for detection, fields in matches:
            if detection.habit is None:
                late = watermark is not None
                told += signal(self._routes, event, body, detection, fields, late=late)
            elif watermark is None:  # as a window, a habit is about what is in time
                observed = observation(detection, event, body["entities"], fields)
                if observed is not None:
                    told.append(observed)
        detections = [match.detection for match in matches]
        told += facts(event, detections, event.time if watermark is None else watermark)
        told.append(Result("event", event.uid, event.time, "final", body))
        return told

    def matches(self, parsed: Parsed, decoded: Json, vendor: Sequence[Rule]) -> list[Match]:
        """All that matches: first the vendor's rules, as in `of`."""
        found = [_match(rule.detection, decoded, ()) for rule in vendor]
        matcher = self._matchers.normal(parsed.event)
        if matcher.rules:
            form = normal_form(parsed.event, parsed.private)
            found += [_match(rule.detection, form, parsed.private) for rule in matcher.match(form)]
        return found


def _match(detection: Detection, record: Json, private: Container[str]) -> Match:
    fields = {}
    for name in detection.fields:
        value = MISSING if name in private else _reader(name)(record)
        if value is not MISSING and value is not None:
            fields[name] = value
    return Match(detection, fields)


_reader = lru_cache(maxsize=4_096)(reader)  # rules ask for the same fields again and again

"""Statements: what a parsed record says by the rules that match it, as rows and results."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from correlators.claims import facts, signal
from correlators.normal import normal_form
from correlators.routes import Routes
from correlators.sigma.rule import Rule
from correlators.sigma.values import lookup
from schemas.detection import Detection
from schemas.event import Event
from schemas.rows import Output, Result
from streams.matchers import Matchers
from streams.source import Json, Parsed


class Statements:
    """Says what the records of a stage mean."""

    def __init__(self, matchers: Matchers, routes: Routes) -> None:
        self._matchers, self._routes = matchers, routes

    def of(
        self, parsed: Parsed, decoded: Json, vendor: Sequence[Rule], watermark: int | None
    ) -> Iterator[Output]:
        """Signals, facts, then the event.

        `vendor`: the rules that match the record as it was `decoded`. `watermark`: what a record
        that is late came behind.
        """
        event, late = parsed.event, watermark is not None
        detections = [rule.detection for rule in vendor]
        yield from self._signals(event, detections, decoded, (), late=late)
        matcher = self._matchers.normal(event)
        if matcher.rules:
            form = normal_form(event, parsed.private)
            matched = [rule.detection for rule in matcher.match(form)]
            yield from self._signals(event, matched, form, parsed.private, late=late)
            detections += matched
        yield from facts(event, detections, event.time if watermark is None else watermark)
        yield Result("event", event.uid, event.time, "final", event.body())

    def _signals(
        self,
        event: Event,
        detections: Sequence[Detection],
        record: Json,
        private: Container[str],
        *,
        late: bool,
    ) -> Iterator[Output]:
        for detection in detections:
            fields = {
                f: v
                for f in detection.fields
                if f not in private and (v := lookup(record, f)) is not None
            }
            yield from signal(self._routes, event, detection, fields, late=late)

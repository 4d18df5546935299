"""Alert bodies by hypothesis: every kind of text, number and list that the record allows."""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import strategies as st

from schemas.alert import STAGES, Alert, AlertStatus
from schemas.entity import KINDS
from schemas.event import Level
from schemas.finding import State
from schemas.times import rfc3339
from tests.sinks.alerts import HOSTILE, body

TEXTS = st.one_of(st.text(min_size=1, max_size=40), st.just(HOSTILE))
TIMES = st.integers(0, 4_000_000_000_000_000).map(rfc3339)
SHA = st.text("0123456789abcdef", min_size=64, max_size=64)
EVIDENCE = st.lists(st.fixed_dictionaries({"event": TEXTS, "sha256": SHA}), max_size=3)
REFERENCES = st.builds("{}:{}".format, st.sampled_from(KINDS), TEXTS)
TAGS = st.one_of(
    TEXTS,
    st.from_regex(r"(atlas\.aml-t|attack\.t)[0-9]{4}(\.[0-9]{3})?", fullmatch=True),
    st.sampled_from(["atlas.aml-t0051.001", "atlas.aml-t0086", "attack.initial_access"]),
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "thread": SHA,
    "convergence": TEXTS,
    "stage": st.sampled_from(STAGES),
    "peak_stage": st.sampled_from(STAGES),
    "status": st.sampled_from(get_args(AlertStatus)),
    "system": TEXTS,
    "title": TEXTS,
    "summary": TEXTS,
    "priority": st.integers(0, 100),
    "confidence": st.floats(0, 1),
    "severity": st.sampled_from(get_args(Level)),
    "entities": st.lists(
        st.fixed_dictionaries(
            {"kind": st.sampled_from(KINDS), "id": TEXTS}, optional={"name": TEXTS}
        ),
        max_size=5,
    ),
    "findings": st.lists(SHA, max_size=2),
    "timeline": st.lists(
        st.fixed_dictionaries({"time": TIMES, "text": TEXTS}, optional={"evidence": EVIDENCE}),
        max_size=4,
    ),
    "path": st.lists(
        st.fixed_dictionaries(
            {
                "from": REFERENCES,
                "relation": TEXTS,
                "to": REFERENCES,
                "state": st.sampled_from(["open", "walked"]),
            }
        ),
        max_size=3,
    ),
    "why": st.lists(
        st.fixed_dictionaries(
            {
                "term": TEXTS,
                "value": st.floats(-10, 10),
                "weight": st.integers(-9999, 9999),
                "points": st.integers(-9999, 9999),
            }
        ),
        max_size=3,
    ),
    "next": st.lists(
        st.fixed_dictionaries(
            {
                "technique": TEXTS,
                "name": TEXTS,
                "probability": st.floats(0, 1),
                "horizon": TEXTS,
                "precondition": TEXTS,
                "blocking_action": TEXTS,
            }
        ),
        max_size=2,
    ),
    "actions": st.lists(
        st.fixed_dictionaries({"text": TEXTS, "effect": TEXTS}, optional={"control": TEXTS}),
        max_size=2,
    ),
    "tags": st.lists(TAGS, max_size=5),
    "first_time": TIMES,
    "onset_time": TIMES,
    "last_time": TIMES,
    "expires_at": TIMES,
    "evidence": EVIDENCE,
}


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """A body as a sink is given it; the record itself says that it is one."""
    revision = draw(st.integers(1, 2**31 - 1))
    state = draw(st.sampled_from(get_args(State)))
    made = body(draw(SHA), revision, state, **draw(st.fixed_dictionaries(FIELDS)))
    Alert.model_validate(made)
    return made

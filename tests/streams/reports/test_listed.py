from schemas.entity import Entity
from schemas.event import EventEvidence
from streams.reports.listed import INTEL, Listing, listed

MODEL = Entity(kind="model", id="writer")
EVIDENCE = EventEvidence(origin="file:x#1", sha256="00")


def test_what_is_listed() -> None:
    event = listed(
        Listing("x", 1), (None, MODEL, MODEL), EVIDENCE, "a model", attributes={"a": 1, "b": None}
    )
    assert (event.class_uid, event.class_name, event.activity, event.status) == (
        5020,
        "Software Inventory Info",
        "Collect",
        "success",
    )
    assert (event.entities, event.attributes, event.message) == ((MODEL,), {"a": 1}, "a model")
    assert listed(Listing("x", 1), (MODEL,), EVIDENCE, "", kind=INTEL).class_uid == 5021


def test_what_is_not_dated_says_so() -> None:
    assert listed(Listing("x", 0), (MODEL,), EVIDENCE, "").attributes == {"time.unknown": True}


def test_the_same_bytes_of_two_lists_are_two_events() -> None:
    ones = [listed(Listing("x", 1, (n,)), (MODEL,), EVIDENCE, "") for n in (1, 2, 1)]
    assert ones[0].uid == ones[2].uid != ones[1].uid

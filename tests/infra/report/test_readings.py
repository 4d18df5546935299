from infra.report.readings import Reading, readings
from schemas.alert import Alert
from schemas.times import parse
from tests.infra.report.sample import CLAIMS, SUPPORT, expired, sample, scores, warning


def at(text: str) -> int:
    return parse(text)


def test_each_stored_revision_is_a_reading() -> None:
    assert [r for r in sample().trace if r.system == CLAIMS] == [
        Reading(CLAIMS, at("2026-11-20T21:02:11Z"), 22, "outlook"),
        Reading(CLAIMS, at("2026-11-20T21:20:40Z"), 58, "watch"),
        Reading(CLAIMS, at("2026-11-20T21:31:05Z"), 74, "watch"),
        Reading(CLAIMS, at("2026-11-20T21:33:58.25Z"), 91, "warning"),
    ]


def test_an_end_is_a_reading_without_priority() -> None:
    last = [r for r in sample().trace if r.system == SUPPORT][-1]
    assert last == Reading(SUPPORT, at("2026-11-20T15:09:30Z"), 0, None)


def test_without_stored_ledgers_the_last_one_is_a_reading() -> None:
    assert readings([Alert.model_validate(warning())], []) == [
        Reading(CLAIMS, at("2026-11-20T21:33:58.25Z"), 91, "warning")
    ]


def test_a_later_revision_of_the_same_time_counts_alone() -> None:
    rows = scores()[:1] * 2
    revised = [rows[0], {**rows[1], "revision": 2, "total": 0}]
    assert readings([Alert.model_validate(warning())], revised)[0].priority == 50


def test_a_system_reads_the_gravest_of_its_alerts() -> None:
    other = {**expired(), "system": CLAIMS}
    alerts = [Alert.model_validate(body) for body in (warning(), other)]
    assert [(r.priority, r.stage) for r in readings(alerts, scores())] == [
        (46, "watch"),
        (42, "watch"),
        (38, "watch"),
        (0, None),
        (22, "outlook"),
        (58, "watch"),
        (74, "watch"),
        (91, "warning"),
    ]

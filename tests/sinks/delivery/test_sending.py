"""How answers of a receiver become what was delivered: in order, and no record without an end."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from schemas.rows import Result
from sinks.delivery.sending import in_chunks, one_by_one
from sinks.delivery.sink import Delivered
from sinks.delivery.wire import Answer, Verdict
from tests.sinks.alerts import alert


def named(result: Result) -> bytes:
    return result.id.encode()


def results(*ids: str) -> list[Result]:
    return [alert(id_) for id_ in ids]


class Server:
    """Takes chunks; `bad` names are rejected, more than `most` at once too many."""

    def __init__(self, bad: frozenset[bytes] = frozenset(), most: int = 1000) -> None:
        self.bad, self.most = bad, most
        self.got: list[bytes] = []
        self.asked = 0
        self.gone = 10**9  # requests until it is away

    def post(self, chunk: Sequence[bytes]) -> Answer:
        self.asked += 1
        if self.asked > self.gone:
            return Answer("retry", "away", 3.0)
        if len(chunk) > self.most:
            return Answer("split", "too many")
        if self.bad & set(chunk):
            return Answer("reject", "one is bad")
        self.got += chunk
        return Answer("ok")


def test_what_was_refused_without_a_name_does_not_come_again() -> None:
    asked: list[list[bytes]] = []

    def post(chunk: Sequence[bytes]) -> Answer:
        asked.append(list(chunk))
        return Answer("refused", "1 of 2") if b"a" in chunk else Answer("ok")

    delivered = in_chunks(results(*"abc"), named, post, most=2, most_bytes=1000)
    assert asked == [[b"a", b"b"], [b"c"]]
    assert delivered.taken == 3
    assert [(one.result.id, one.reason) for one in delivered.refused] == [
        ("a", "1 of 2"),
        ("b", "1 of 2"),
    ]


def test_the_record_that_nobody_takes_is_found_alone() -> None:
    server = Server(frozenset((b"d",)))
    delivered = in_chunks(results(*"abcdefg"), named, server.post, most=100, most_bytes=1000)
    assert delivered.taken == 7
    assert [(one.result.id, one.reason) for one in delivered.refused] == [("d", "one is bad")]
    assert server.got == [b"a", b"b", b"c", b"e", b"f", b"g"]


def test_what_is_larger_than_any_request_is_refused_unsent() -> None:
    server = Server()
    delivered = in_chunks(results("a", "b" * 50, "c"), named, server.post, most=9, most_bytes=20)
    assert [one.reason for one in delivered.refused] == ["it has more than 20 bytes"]
    assert server.got == [b"a", b"c"]


def test_a_receiver_that_goes_away_in_the_middle() -> None:
    server = Server()
    server.gone = 2
    delivered = in_chunks(results(*"abcde"), named, server.post, most=2, most_bytes=1000)
    assert delivered == Delivered(4, problem="away", wait=3.0)


def test_one_by_one_stops_at_what_comes_again() -> None:
    answers = {
        "a": Answer("ok"),
        "b": Answer("reject", "never"),
        "c": Answer("config", "no token"),
    }
    delivered = one_by_one(results(*"abcd"), lambda one: answers[one.id])
    assert (delivered.taken, delivered.problem, delivered.misconfigured) == (2, "no token", True)
    assert [(one.result.id, one.reason) for one in delivered.refused] == [("b", "never")]


@given(
    st.integers(0, 30),
    st.sets(st.integers(0, 29)),
    st.integers(1, 8),
    st.integers(1, 60),
    st.integers(0, 12),
)
def test_each_record_ends_once_and_in_order(
    count: int, bad: set[int], most: int, most_bytes: int, gone: int
) -> None:
    """Whatever is bad, and however often the receiver goes away and comes back."""
    batch = results(*(f"{number:02d}" for number in range(count)))
    server = Server(frozenset(f"{number:02d}".encode() for number in bad), most=3)
    refused: list[str] = []
    place = 0
    while True:
        server.asked, server.gone = 0, gone
        delivered = in_chunks(batch[place:], named, server.post, most=most, most_bytes=most_bytes)
        refused += [one.result.id for one in delivered.refused]
        place += delivered.taken
        if delivered.problem is None:
            break
        gone += 1
    assert place == count
    ends = {one.encode() for one in refused}
    assert list(dict.fromkeys(server.got)) == [
        named(one) for one in batch if named(one) not in ends
    ]
    assert ends == {named(one) for one in batch if int(one.id) in bad or most_bytes < 2}


def test_a_receiver_that_names_the_bad_record_is_asked_for_the_others_only() -> None:
    server = Server(frozenset((b"d",)))

    def post(chunk: Sequence[bytes]) -> Answer:
        answer = server.post(chunk)
        if answer.verdict == "reject":
            return answer._replace(at=chunk.index(b"d"))
        return answer

    delivered = in_chunks(results(*"abcdefg"), named, post, most=100, most_bytes=1000)
    assert delivered.taken == 7
    assert [one.result.id for one in delivered.refused] == ["d"]
    assert (server.got, server.asked) == ([b"a", b"b", b"c", b"e", b"f", b"g"], 4)


@given(st.integers(-3, 12), st.sets(st.sampled_from("abcdefg"), max_size=3))
def test_a_receiver_that_names_a_wrong_one_loses_nothing(at: int, bad: set[str]) -> None:
    server = Server(frozenset(one.encode() for one in bad))

    def post(chunk: Sequence[bytes]) -> Answer:
        return server.post(chunk)._replace(at=at)

    delivered = in_chunks(results(*"abcdefg"), named, post, most=100, most_bytes=1000)
    assert {one.result.id for one in delivered.refused} == bad
    assert server.got == [one.encode() for one in "abcdefg" if one not in bad]


@given(st.lists(st.sampled_from(("ok", "reject", "retry", "config")), min_size=1, max_size=12))
def test_several_answers_are_those_to_each_record(verdicts: list[Verdict]) -> None:
    told = dict(zip("abcdefghijkl", verdicts, strict=False))

    def post(chunk: Sequence[bytes]) -> list[Answer]:
        return [Answer(told[one.decode()], one.decode()) for one in chunk]

    delivered = in_chunks(results(*told), named, post, most=5, most_bytes=1000)
    stops = [place for place, verdict in enumerate(verdicts) if verdict in ("retry", "config")]
    assert delivered.taken == (stops[0] if stops else len(verdicts))
    assert delivered.problem == ("abcdefghijkl"[stops[0]] if stops else None)
    assert [one.reason for one in delivered.refused] == [
        name for name, verdict in list(told.items())[: delivered.taken] if verdict == "reject"
    ]

"""Sending: a batch as single requests or as chunks, and how answers become what was delivered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from schemas.rows import Result
from sinks.delivery.sink import Delivered, Refused
from sinks.delivery.wire import Answer

TOO_LARGE = "it alone is larger than the receiver takes"


def one_by_one(batch: Sequence[Result], send: Callable[[Result], Answer]) -> Delivered:
    """One request per result, in order, up to the first that has to be tried again."""
    refused: list[Refused] = []
    for taken, result in enumerate(batch):
        answer = send(result)
        match answer.verdict:
            case "ok":
                pass
            case "reject" | "refused" | "split":
                refused.append(Refused(result, answer.reason or TOO_LARGE))
            case "retry" | "config":
                return stopped(taken, refused, answer)
    return Delivered(len(batch), tuple(refused))


def in_chunks(
    batch: Sequence[Result],
    encode: Callable[[Result], bytes],
    post: Callable[[Sequence[bytes]], Answer | Sequence[Answer]],
    *,
    most: int,
    most_bytes: int,
) -> Delivered:
    """One request for each run of at most `most` results and `most_bytes` bytes of encodings.

    A chunk that is rejected, or too large, is halved until the record that nobody takes is alone:
    that one is refused, its neighbours arrive. An answer that says `at` which place it was saves
    the search; several answers are those to each record. In order, up to the first that has to be
    tried again.
    """
    encoded = [encode(result) for result in batch]
    refused: list[Refused] = []
    waiting = deque(_chunks(encoded, most, most_bytes))
    while waiting:
        start, end = waiting.popleft()
        if end - start == 1 and len(encoded[start]) > most_bytes:
            refused.append(Refused(batch[start], f"it has more than {most_bytes} bytes"))
            continue
        for first, last, answer in _each(start, end, post(encoded[start:end])):
            match answer.verdict:
                case "ok":
                    pass
                case "refused":
                    refused.extend(Refused(one, answer.reason) for one in batch[first:last])
                case "reject" | "split" if last - first > 1:
                    waiting.extendleft(_parts(first, last, answer.at))
                case "reject" | "split":
                    refused.append(Refused(batch[first], answer.reason or TOO_LARGE))
                case "retry" | "config":
                    return stopped(first, refused, answer)
    return Delivered(len(batch), tuple(refused))


def _chunks(encoded: Sequence[bytes], most: int, most_bytes: int) -> Iterator[tuple[int, int]]:
    start = size = 0
    for place, one in enumerate(encoded):
        if place > start and (place - start == most or size + len(one) > most_bytes):
            yield start, place
            start, size = place, 0
        size += len(one)
    if start < len(encoded):
        yield start, len(encoded)


def _each(
    start: int, end: int, answer: Answer | Sequence[Answer]
) -> Iterator[tuple[int, int, Answer]]:
    """The answer to the records from `start` to `end`, or to each of them."""
    if isinstance(answer, Answer):
        yield start, end, answer
    else:
        yield from ((place, place + 1, one) for place, one in enumerate(answer, start))


def _parts(start: int, end: int, at: int | None) -> list[tuple[int, int]]:
    """What a chunk falls into, the last part first: halves, or before, at and behind a culprit."""
    if at is None or not 0 <= at < end - start:
        middle = (start + end) // 2
        return [(middle, end), (start, middle)]
    culprit = start + at
    parts = [(culprit + 1, end), (culprit, culprit + 1), (start, culprit)]
    return [(first, last) for first, last in parts if first < last]


def stopped(taken: int, refused: Sequence[Refused], answer: Answer) -> Delivered:
    """What was taken before an answer that ends the batch for now."""
    return Delivered(
        taken,
        tuple(refused),
        problem=answer.reason,
        wait=answer.wait,
        misconfigured=answer.verdict == "config",
    )

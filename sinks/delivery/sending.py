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
                return _stopped(taken, refused, answer)
    return Delivered(len(batch), tuple(refused))


def in_chunks(
    batch: Sequence[Result],
    encode: Callable[[Result], bytes],
    post: Callable[[Sequence[bytes]], Answer],
    *,
    most: int,
    most_bytes: int,
) -> Delivered:
    """One request for each run of at most `most` results and `most_bytes` bytes of encodings.

    A chunk that is rejected, or too large, is halved until the record that nobody takes is alone:
    that one is refused, its neighbours arrive. In order, up to the first that has to be tried
    again.
    """
    encoded = [encode(result) for result in batch]
    refused: list[Refused] = []
    waiting = deque(_chunks(encoded, most, most_bytes))
    while waiting:
        start, end = waiting.popleft()
        if end - start == 1 and len(encoded[start]) > most_bytes:
            refused.append(Refused(batch[start], f"it has more than {most_bytes} bytes"))
            continue
        answer = post(encoded[start:end])
        match answer.verdict:
            case "ok":
                pass
            case "refused":
                refused.extend(Refused(one, answer.reason) for one in batch[start:end])
            case "reject" | "split" if end - start > 1:
                middle = (start + end) // 2
                waiting.extendleft(((middle, end), (start, middle)))
            case "reject" | "split":
                refused.append(Refused(batch[start], answer.reason or TOO_LARGE))
            case "retry" | "config":
                return _stopped(start, refused, answer)
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


def _stopped(taken: int, refused: Sequence[Refused], answer: Answer) -> Delivered:
    """What was taken before an answer that ends the batch for now."""
    return Delivered(
        taken,
        tuple(refused),
        problem=answer.reason,
        wait=answer.wait,
        misconfigured=answer.verdict == "config",
    )

"""What answers of describe and list calls say, as lines: a thing, below it what is said of it.

2026-03-01 endpoint:triage (sagemaker endpoint)
  status: InService
  serves model:m3
  account:1 hosts it
  fails no_own_key
  passes public_network
"""

from collections.abc import Iterator

from schemas.event import Event
from schemas.times import rfc3339
from tests.streams.sources.shown import read

_LONGEST = 90


def lines(name: str) -> list[str]:
    """The lines of an example; shas of 64 digits are shortened to four."""
    return [line for event in read(name) for line in _lines(event)]


def _lines(event: Event) -> Iterator[str]:
    asset = event.entities[0].key
    if event.finding is not None:
        ended = event.finding.state == "resolved"
        yield f"  {'passes' if ended else 'fails'} {event.finding.check}"
        return
    said = {name.removeprefix("asset."): one for name, one in event.attributes.items()}
    day = rfc3339(event.time)[:10] if event.time else "undated"
    unsaid = {"created", "type", "time.unknown"}
    yield _short(f"{day} {asset} ({said.get('type', 'no type')})")
    yield from (f"  {name}: {one}" for name, one in sorted(said.items()) if name not in unsaid)
    for edge in event.edges:
        first, last = edge.from_.key, edge.to.key
        if first == asset:
            yield _short(f"  {edge.relation} {last}")
        else:
            yield _short(f"  {first} {edge.relation} {'it' if last == asset else last}")


def _short(line: str) -> str:
    head, mark, tail = line.partition("sha256:")
    whole = f"{head}{mark}{tail[:4]}{tail[64:]}" if mark else line
    return whole if len(whole) <= _LONGEST else f"{whole[:_LONGEST]}..."

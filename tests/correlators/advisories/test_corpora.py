"""A feed of others: every probe of a component and version has the advisories that it should."""

from collections import Counter, defaultdict
from pathlib import Path

import orjson

from correlators.advisories.component import Component
from correlators.advisories.feed import Feed, feed
from correlators.document import Document

FOLDER = "corpora/intel/tencent-aig"


def documents(folder: Path) -> list[Document]:
    files = sorted(folder.rglob("*.yaml"))
    return [Document(str(file.relative_to(folder)), file.read_text("utf-8")) for file in files]


def matched(found: Feed, version: str) -> set[str]:
    """All advisories of a folder, whose rules call one product by several names."""
    names = {name for _, name in found.places}
    parts = (Component(name, version, (("", name),), None) for name in names)
    return {match.advisory.id for part in parts for match in found.matches(part)}


def test_probes(shared: Path) -> None:
    folders: dict[str, list[Document]] = defaultdict(list)
    for one in documents(shared / FOLDER / "vuln_en"):
        folders[one.path.partition("/")[0]].append(one)
    feeds = {name: feed(held) for name, held in folders.items()}
    probes = map(orjson.loads, (shared / FOLDER / "version-probes.jsonl").read_bytes().splitlines())
    wrong, count = [], 0
    for probe in probes:
        count += 1
        if matched(feeds[probe["component"]], probe["version"]) != set(probe["expected_ids"]):
            wrong.append(probe)
    assert (wrong, count) == ([], 282)


def test_what_is_odd_in_it(shared: Path) -> None:
    """As docs/intel.md lists it."""
    found = feed(documents(shared / FOLDER / "vuln_en"))
    assert (found.count, found.files, len(found.places)) == (321, 339, 38)
    reasons = Counter(one.message.partition(": ")[2] for one in found.problems)
    named = {reason: count for reason, count in reasons.items() if "no version that" not in reason}
    assert named == {
        "it names no version": 9,
        "`=` is no comparison; is it `==`?": 3,
        "it asks for `is_internal`, not for the version": 3,
    }
    assert sum(reasons.values()) - sum(named.values()) == 3  # commits
    assert [one.message.partition(" ")[2] for one in found.notes] == [
        "holds for every version"
    ] * 12

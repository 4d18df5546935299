"""The oracle: pySigma's SQLite backend over flattened records finds what we find, but for reasons.

It has no lists, no objects and no case in the names of columns; docs/sigma-semantics.md says what
of this differs. SQLite compares as we do with `COLLATE NOCASE` on ASCII text.
"""

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sigma.backends.sqlite.sqlite import sqliteBackend
from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError

from correlators.document import Document
from correlators.ruleset import Ruleset, parse
from correlators.sigma.matcher import Matcher
from correlators.sigma.values import is_list, is_object
from schemas.detection import Logsource

Match = tuple[str, int]  # id of the rule, number of the record


def records(folder: Path) -> Iterator[dict[str, Any]]:
    """All records of CloudTrail in the samples, by file name."""
    for file in sorted(folder.glob("*/**/*")):
        if file.suffix == ".cloudtrail" or (
            file.suffix == ".json" and file.name.startswith("aws.")
        ):
            found = json.loads(file.read_text("utf-8"))
            yield from found if is_list(found) else found.get("Records", [found])
        elif file.name == "AWS.CloudTrail.jsonl":
            yield from (json.loads(line)["log"] for line in file.read_text("utf-8").splitlines())


def logs(folder: Path) -> Iterator[dict[str, Any]]:
    """The logs of all vendors in the samples."""
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            if is_object(log := json.loads(line).get("log")):
                yield log


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - a JSON value
    """Dotted names and single values; a list is its JSON text, as peers load it."""
    if is_object(value):
        for key, inner in value.items():
            yield from flat(inner, f"{path}.{key}" if path else key)
    elif is_list(value):
        yield path, json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    elif isinstance(value, bool):
        yield path, str(value).lower()
    elif value is not None:
        yield path, value


def theirs(events: list[dict[str, Any]], rules: Mapping[str, str]) -> tuple[set[Match], set[str]]:
    """What the oracle finds, and the rules that it cannot run: those with keywords.

    Each rule has a table of its own fields, so that names that differ in case do not meet.
    """
    backend: Any = sqliteBackend()  # type: ignore[no-untyped-call]
    db = sqlite3.connect(":memory:")
    db.create_function("REGEXP", 2, lambda p, v: v is not None and bool(re.search(p, str(v))))
    rows = [dict(flat(event)) for event in events]
    found: set[Match] = set()
    refused: set[str] = set()
    for id_, text in rules.items():
        collection = SigmaCollection.from_yaml(text)
        try:
            (query,) = backend.convert(collection)
        except SigmaError as error:
            assert "Keyword search requires fulltext_field" in str(error)  # noqa: PT017 - the only reason
            refused.add(id_)
            continue
        fields = sorted(backend.required_fields(collection.rules[0]))
        columns = ", ".join(f'"{field}" COLLATE NOCASE' for field in fields)
        db.execute(f"CREATE TABLE logs (number, {columns})")
        marks = ", ".join("?" * len(fields))
        db.executemany(
            f"INSERT INTO logs VALUES (?, {marks})",  # noqa: S608 - marks
            [[number, *(row.get(field) for field in fields)] for number, row in enumerate(rows)],
        )
        where = query.replace("<TABLE_NAME>", "logs").replace("SELECT *", "SELECT number", 1)
        found |= {(id_, number) for (number,) in db.execute(where)}
        db.execute("DROP TABLE logs")
    return found, refused


def loaded(folder: Path, *patterns: str) -> tuple[dict[str, str], Ruleset]:
    """The rules of some folders, as texts by id and as ours."""
    files = sorted(file for pattern in patterns for file in folder.glob(f"{pattern}/**/*.yml"))
    ruleset = parse(Document(str(file), file.read_text("utf-8")) for file in files)
    assert ruleset.problems == ()
    texts = {
        rule.detection.id: Path(rule.detection.path).read_text("utf-8") for rule in ruleset.rules
    }
    return texts, ruleset


def test_rules_for_aws_find_the_same_in_records_of_cloudtrail(shared: Path) -> None:
    rules, ruleset = loaded(shared / "corpora/rules/sigma-DRL", "rules*/cloud/aws")
    events = list(records(shared / "corpora/cloudtrail"))
    matcher = Matcher(ruleset.rules, Logsource(product="aws", service="cloudtrail"), None)
    ours = {(r.detection.id, n) for n, event in enumerate(events) for r in matcher.match(event)}
    assert (len(rules), len(events), len(ours)) == (57, 398, 177)
    assert theirs(events, rules) == (ours, set())


def test_rules_for_clouds_and_applications_find_the_same_in_logs_of_vendors(shared: Path) -> None:
    patterns = ("rules/cloud", "rules/application")
    rules, ruleset = loaded(shared / "corpora/rules/sigma-all-DRL", *patterns)
    events = list(logs(shared / "corpora/cloudtrail/vendor-rule-tests/rule-tests"))
    found, refused = theirs(events, rules)
    able = [rule for rule in ruleset.rules if rule.detection.id not in refused]
    ours = {(r.detection.id, n) for n, event in enumerate(events) for r in able if r.matches(event)}
    assert (len(able), len(refused), len(events), len(ours)) == (307, 17, 1206, 171)
    assert sorted(found) == sorted(ours)

"""Every Sigma rule of the samples loads."""

from pathlib import Path

import pytest

from correlators.document import Document
from correlators.ruleset import parse
from correlators.sigma.processing import processing

TABLE = "placeholders: {known_cdcs: [cdc-1.example.com]}\n"


@pytest.mark.parametrize(("folder", "rules"), [("sigma-DRL", 367), ("sigma-all-DRL", 3753)])
def test_every_rule_loads(shared: Path, folder: str, rules: int) -> None:
    files = sorted((shared / "corpora/rules" / folder).rglob("*.yml"))
    documents = [Document(file.name, file.read_text("utf-8")) for file in files]
    ruleset = parse(documents, processing=processing((), [Document("table.yml", TABLE)]))
    assert [str(problem) for problem in ruleset.problems] == []
    assert len(ruleset.rules) == rules

"""What a detection means, apart from its words."""

from __future__ import annotations

import pytest

from correlators.document import Document, Part, parts
from correlators.meaning import meaning

RULE = """\
title: reads
id: 00000000-0000-4000-8000-000000000001
logsource: {product: aws, service: cloudtrail}
detection: {s: {size: 1180591620717411303424, eventName: [GetObject, Get*]}, condition: s}
"""


def hashed(text: str) -> str:
    (part,) = parts(Document("rule.yml", text))
    assert isinstance(part, Part)
    return meaning(part)


@pytest.mark.parametrize(
    "text",
    [
        RULE.replace("title: reads", "title: other words\ndescription: more\nlevel: high"),
        RULE.replace("-000000000001", "-000000000002"),
        RULE + "barograph: {family: mine}\ntags: [attack.collection]\n",
        "\n".join(reversed(RULE.splitlines())),
        RULE.replace("{product: aws, service: cloudtrail}", "{service: cloudtrail, product: aws}"),
    ],
)
def test_words_and_layout_mean_nothing(text: str) -> None:
    assert hashed(text) == hashed(RULE)


@pytest.mark.parametrize(
    "text",
    [
        RULE.replace("[GetObject, Get*]", "[Get*, GetObject]"),
        RULE.replace("1180591620717411303424", "1180591620717411303425"),
        RULE.replace("condition: s", "condition: not s"),
        RULE.replace("product: aws, ", ""),
        RULE + "a_key_that_nobody_knows_yet: 1\n",
    ],
)
def test_all_else_does(text: str) -> None:
    assert hashed(text) != hashed(RULE)

"""Every modifier of the specification, with a value that it finds and one that it does not."""

from base64 import b64encode
from typing import Any, Final

import pytest
import yaml
from sigma.modifiers import modifier_mapping

from correlators.document import Document
from correlators.ruleset import Ruleset, parse
from correlators.sigma.processing import processing

DASHES: Final = "-/\u2013\u2014\u2015"
SECRET: Final = b"secret1"
SHIFTED: Final = [b64encode(b"." * shift + SECRET + b"!").decode() for shift in range(3)]

# modifiers: (selection, records that match, records that do not)
PROVED: Final[dict[str, tuple[str, list[Any], list[Any]]]] = {
    "all": ("{A|contains|all: [one, two]}", ["two one", ["xone", "two"]], ["one", "two", None]),
    "startswith": ("{A|startswith: adm}", ["ADMIN", ["x", "adm"]], ["xadm", None, ""]),
    "endswith": ("{A|endswith: [.exe, .dll]}", ["a.EXE", "b.dll"], ["a.exe.txt", ".ex"]),
    "contains": ("{A|contains: 'a*c'}", ["xabcx", "ac"], ["ca", "b"]),
    "exists": ("{A|exists: true}", [None, "", 0, [], {}], ["MISSING"]),
    "cased": ("{A|cased: [One, 'T*']}", ["One", "Two"], ["one", "two", "ONE"]),
    "neq": ("{A|neq: [one, 2]}", ["three", 3, None, "MISSING"], ["ONE", 2, "2", ["x", "one"]]),
    "windash": ("{A|windash|contains: ' -f'}", [f"x {dash}f" for dash in DASHES], ["x f"]),
    "re": ("{A|re: 'a.c$'}", ["xabc", ["q", "abc"]], ["ABC", "abcd", "a\nc", None]),
    "i": ("{A|re|i: '^a.c$'}", ["ABC"], ["ABCD"]),
    "m": ("{A|re|m: '^b$'}", ["a\nb\nc"], ["a b c"]),
    "s": ("{A|re|s: '^a.c$'}", ["a\nc"], ["b\nc"]),
    "ignorecase": ("{A|re|ignorecase: '^a$'}", ["A"], ["B"]),
    "multiline": ("{A|re|multiline: '^b$'}", ["a\nb"], ["ab"]),
    "dotall": ("{A|re|dotall: 'a.c'}", ["a\nc"], ["ac"]),
    "base64": ("{A|base64: secret1}", ["c2VjcmV0MQ=="], ["secret1", "xc2VjcmV0MQ=="]),
    "base64offset": ("{A|base64offset|contains: secret1}", SHIFTED, ["c2VjcmU="]),
    "utf16": ("{A|utf16|base64: cmd}", [b64encode(b"\xff\xfec\0m\0d\0").decode()], ["YwBtAGQA"]),
    "utf16le": ("{A|utf16le|base64: cmd}", [b64encode(b"c\0m\0d\0").decode()], ["AGMAbQBk"]),
    "utf16be": ("{A|utf16be|base64: cmd}", [b64encode(b"\0c\0m\0d").decode()], ["YwBtAGQA"]),
    "wide": ("{A|wide|base64offset|contains: cmd}", ["YwBtAGQA", "LmMAbQBkAA=="], ["Y21k"]),
    "lt": ("{A|lt: 10}", [9.5, "9", -1, [11, 2]], [10, "x", None, True, "MISSING"]),
    "lte": ("{A|lte: 10}", [10, "10.0"], [10.01]),
    "gt": ("{A|gt: 10}", [11, "1e2"], [10, "9"]),
    "gte": ("{A|gte: -1.5}", [-1.5, 0], [-2]),
    "minute": ("{A|minute: 5}", ["2026-01-02T03:05:59Z"], ["2026-01-02T05:06:00Z", "5"]),
    "hour": ("{A|hour|gte: 22}", ["2026-01-01T23:00:00Z", "2026-01-01T23:30:00+01:00"],
             ["2026-01-01T22:30:00+01:00", "night", 5]),
    "day": ("{A|day: [1, 31]}", ["2026-03-31T10:00:00Z"], ["2026-03-30T10:00:00Z"]),
    "week": ("{A|week: 47}", ["2026-11-21T00:00:00Z"], ["2026-11-23T00:00:00Z"]),
    "month": ("{A|month: 11}", ["2026-11-21T00:00:00Z", 1795219200], ["2026-12-01T00:00:00Z"]),
    "year": ("{A|year|lt: 2020}", ["1999-01-01T00:00:00Z"], ["2020-01-01T00:00:00Z"]),
    "cidr": ("{A|cidr: [10.0.0.0/9, '2001:db8::/33']}", ["10.127.0.1", "2001:db8:7fff::1"],
             ["10.128.0.1", "2001:db8:8000::1", "10.0.0.1.example.com", 167772161]),
    "expand": ("{A|expand: '%who%-x'}", ["kim-x", "JOE-X"], ["%who%-x"]),
    "fieldref": ("{A|fieldref: B}", ["KIM", ["x", "kim"]], ["kimberly", None, "MISSING"]),
}  # fmt: skip


def ruleset(selection: str) -> Ruleset:
    detection = {"s": yaml.safe_load(selection), "condition": "s"}
    rule = {"title": "t", "logsource": {"product": "test"}, "detection": detection}
    table = Document("t.yml", "placeholders: {who: [kim, joe]}")
    return parse([Document("rule.yml", yaml.safe_dump(rule))], processing=processing((), [table]))


def record(value: Any) -> dict[str, Any]:  # noqa: ANN401 - a JSON value
    return {"B": "kim"} | ({} if value == "MISSING" else {"A": value})


def test_all_modifiers_are_proved() -> None:
    assert PROVED.keys() == {*modifier_mapping, "utf16le"}


@pytest.mark.parametrize("modifier", PROVED)
def test_a_modifier_finds_what_it_means(modifier: str) -> None:
    selection, yes, no = PROVED[modifier]
    assert f"|{modifier}" in selection
    loaded = ruleset(selection)
    assert loaded.problems == ()
    matches = loaded.rules[0].matches
    assert [value for value in yes if not matches(record(value))] == []
    assert [value for value in no if matches(record(value))] == []


@pytest.mark.parametrize(
    ("selection", "yes", "no"),
    [
        ("{A|re|startswith: 'ab+c|x'}", ["abbc", "abcz", "xz"], ["zabc", "zx", "z\nabc"]),
        ("{A|re|endswith: 'ab+c|x'}", ["abbc", "zabc", "z\nx"], ["abcz", "xz", "abc\n"]),
        ("{A|re|contains: 'ab+c|x'}", ["zabcz", "zxz"], ["ab", "ABC"]),
        ("{A|re|m|startswith: 'b'}", ["b\na"], ["a\nb"]),
        ("{A|re|i|startswith: [b, '^c']}", ["Ba", "ca"], ["ab", "ac"]),
        ("{A|re|expand|endswith: '%who%'}", ["xkim"], ["kimx"]),
    ],
)
def test_an_expression_is_where_a_second_modifier_says(
    selection: str, yes: list[str], no: list[str]
) -> None:
    loaded = ruleset(selection)
    assert loaded.problems == ()
    matches = loaded.rules[0].matches
    assert [value for value in yes if not matches(record(value))] == []
    assert [value for value in no if matches(record(value))] == []


@pytest.mark.parametrize("written", DASHES)
def test_windash_takes_each_dash_for_each(written: str) -> None:
    for selection in (
        f"{{A|windash: 'x {written}f a-b'}}",
        f"{{A|contains|windash: '{written}f'}}",
    ):
        (rule,) = ruleset(selection).rules
        assert all(rule.matches({"A": f"x {dash}f a-b"}) for dash in DASHES)
        assert not rule.matches({"A": "x f a-b"})
    (rule,) = ruleset("{A|windash: 'a\u2013b'}").rules  # within a word it is itself
    assert [rule.matches({"A": a}) for a in ("a\u2013b", "a-b")] == [True, False]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("{A|frobnicate: x}", "there is no modifier `frobnicate`"),
        ("{A|Contains: x}", "there is no modifier `Contains`; did you mean `contains`?"),
        ("{A|: x}", "there is no modifier ``"),
        (
            "{A|contains: 5}",
            "a modifier of `A|contains` does not go with the number 5: put it in quotes",
        ),
        ("{A|gt: x}", "a modifier of `A|gt` does not go with the text `x`"),
        ("{A|gt: '-5.5'}", "a modifier of `A|gt` does not go with the text `-5.5`: leave the quot"),
        ("{A|gt: .nan}", "Invalid number"),
        ("{A|exists: x}", "a modifier of `A|exists` does not go with the text `x`"),
        ("{A|cidr: 10}", "a modifier of `A|cidr` does not go with the number 10: put"),
        ("{A|cidr: 10.0.0.1/8}", "Invalid CIDR expression: 10.0.0.1/8 has host bits set"),
        ("{A|cased: true}", "a modifier of `A|cased` does not go with true: put it in quotes"),
        ("{A|hour: x}", "a modifier of `A|hour` does not go with the text `x`"),
        ("{A|base64: 'a*'}", "Base64 encoding of strings with wildcards is not allowed"),
        ("{A|wide: Ü}", "UTF-16 is made of ASCII text only, and `Ü` is none"),
        ("{A|utf16be: Ü}", "UTF-16 is made of ASCII text only, and `Ü` is none"),
        ("{A|utf16: [a, aÜ]}", "UTF-16 is made of ASCII text only, and `aÜ` is none"),
        ("{A|contains|re: x}", "Regular expression modifier only applicable to unmodified values"),
        ("{A|i: x}", "a modifier of `A|i` does not go with the text `x`"),
        ("{A|windash: '-a -b -c -d'}", "windash modifier expands at most three dash occurrences"),
        ("{A|fieldref: 5}", "a modifier of `A|fieldref` does not go with the number 5: put"),
        ("{A|contains: null}", "a modifier of `A|contains` does not go with null"),
    ],
)
def test_what_a_modifier_cannot_do_is_told_with_its_line(selection: str, expected: str) -> None:
    (problem,) = ruleset(selection).problems
    assert (problem.path, problem.line) == ("rule.yml", 4)
    assert problem.message.startswith(expected)

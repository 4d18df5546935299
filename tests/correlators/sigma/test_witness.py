import pytest
import yaml

from correlators.document import Document, Part, parts
from correlators.sigma import load
from correlators.sigma.rule import Rule
from correlators.sigma.witness import Atom, Clause


def rule(name: str, detection: str) -> Rule:
    document = {
        "title": name,
        "name": name,
        "logsource": {"product": "test"},
        "detection": yaml.safe_load(detection),
    }
    (part,) = parts(Document("r.yml", yaml.safe_dump(document)))
    assert isinstance(part, Part)
    return load.rule(part)


def one_of(*atoms: tuple[str, str, str]) -> Clause:
    return frozenset(Atom(path, kind, literal) for path, kind, literal in atoms)  # type: ignore[arg-type]


def there(path: str) -> Clause:
    return frozenset({Atom(path, "there")})


@pytest.mark.parametrize(
    ("detection", "expected"),
    [
        ("{s: {A: Foo, B: [x, Y]}, condition: s}",
         [one_of(("A", "is", "foo")), one_of(("B", "is", "x"), ("B", "is", "y"))]),
        ("{s: {A|contains: 'longest*part'}, condition: s}", [one_of(("A", "has", "longest"))]),
        ("{s: {A|contains: ab}, condition: s}", [there("A")]),
        ("{s: {A: true}, condition: s}", [one_of(("A", "is", "true"))]),
        ("{s: {A: 5, B|gt: 1, C|cidr: 10.0.0.0/8, D|hour: 1, E|fieldref: A}, condition: s}",
         [one_of(("A", "is", "5")), *(there(path) for path in "BCDE")]),
        ("{s: {A: -5}, condition: s}", [there("A")]),
        ("{s: {A: 1.0e+300}, condition: s}", [there("A")]),  # a record has it as `1e300`
        ("{s: {A: null}, condition: s}", []),
        ("{s: {A|exists: true}, condition: s}", []),  # true of null, too
        ("{s: {A|re: '^role/x+Admin$'}, condition: s}", [one_of(("A", "has", "role/x"))]),
        ("{s: {A|re: '(Admin|Root)'}, condition: s}", [there("A")]),
        ("{s: {A|re|i: 'iam:PassRole'}, condition: s}", [one_of(("A", "has", "iam:pa"))]),
        ("{s: {A|re: 'Admin\\b'}, condition: s}", [there("A")]),
        ("{s: {A: '\u03a3\u03b1\u03c2'}, condition: s}",
         [one_of(("A", "is", "\u03c3\u03b1\u03c3"))]),
        ("{s: {A|windash: ' -x'}, condition: s}",
         [one_of(*(("A", "is", f" {dash}x") for dash in "-/\u2013\u2014\u2015"))]),
        ("{s: [word], condition: s}", []),
        ("{s: {A: x}, condition: not s}", []),
        ("{s: {A: x}, t: {A: y, B: z}, condition: s or t}",
         [one_of(("A", "is", "x"), ("A", "is", "y"))]),
        ("{s: {A: x}, t: {B: z, C|contains: long}, condition: s or t}",
         [one_of(("A", "is", "x"), ("B", "is", "z"))]),
        ("{s: {A: x}, t: {B: null}, condition: s or t}", []),
        ("{s: {A: x}, t: {B: z}, condition: s and not t}", [one_of(("A", "is", "x"))]),
    ],
)  # fmt: skip
def test_what_a_match_cannot_be_without(detection: str, expected: list[Clause]) -> None:
    assert list(rule("r", detection).clauses) == expected


def test_of_several_clauses_on_a_field_an_alternative_keeps_the_strongest() -> None:
    detection = "{s: {A|startswith: one, A|contains: two}, t: {A: three}, condition: s or t}"
    (clause,) = rule("r", detection).clauses
    assert Atom("A", "is", "three") in clause
    assert len(clause) == 2


@pytest.mark.parametrize(
    ("detection", "sure"),
    [
        ("{s: {A: x, B: [y, z], C: true}, condition: s}", True),
        ("{s: {A|contains: [abc, def]}, condition: s}", True),
        ("{s: {A|contains: ab}, condition: s}", False),  # too short to be looked for
        ("{s: {A|contains|all: [abc, def]}, condition: s}", True),
        ("{s: {A: x}, t: {B: y}, condition: s or t}", True),
        ("{s: {A: x, C: z}, t: {B: y}, condition: s or t}", False),
        ("{s: {A|windash: ' -x'}, condition: s}", True),
        ("{s: {A: ''}, condition: s}", True),
        ("{s: {A: '403'}, condition: s}", False),  # 403.0 calls it up
        ("{s: {A: [x, '5e0']}, condition: s}", False),
        ("{s: {A: x}, t: {B: y}, condition: s and not t}", False),
        ("{s: {A|startswith: abc}, condition: s}", False),
        ("{s: {A|contains: 'abc*def'}, condition: s}", False),
        ("{s: {A|contains: 'abc?'}, condition: s}", False),
        ("{s: {A|cased: x}, condition: s}", False),
        ("{s: {A: 5}, condition: s}", False),
        ("{s: {A|re: abc}, condition: s}", False),
        ("{s: {A: x, B: null}, condition: s}", False),
        ("{s: {'a\\\\b': x}, condition: s}", False),  # a name that cannot be looked for
        ("{s: [abc], condition: s}", False),
    ],
)
def test_clauses_that_are_all_that_a_rule_asks(detection: str, sure: bool) -> None:  # noqa: FBT001 - a case
    assert rule("r", detection).sure is sure

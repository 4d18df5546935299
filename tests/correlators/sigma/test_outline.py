from correlators.document import Document, Part, parts
from correlators.sigma.outline import Node, outline

TREE = """\
title: t
logsource: {product: aws}
detection:
  user:
    name|startswith: a
    role: [admin, root]
  either:
    - host: h1
      port: 1
    - host: h2
  words:
    - alpha
    - beta
  filter_a: {mark: 1}
  filter_b: {mark|exists: false}
  condition: (user or either) and not 1 of filter_*
"""


def read(text: str) -> Node:
    (part,) = parts(Document("t.yml", text))
    assert isinstance(part, Part)
    return outline(part)


def shape(node: Node) -> tuple[object, ...]:
    return node.kind, node.name, node.line, *map(shape, node.parts)


def test_each_part_has_its_name_and_line() -> None:
    assert shape(read(TREE)) == (
        "all", "user or either and not 1 of filter_*", 16,
        ("any", "user or either", 16,
            ("all", "user", 4, ("item", "user.name|startswith", 5), ("item", "user.role", 6)),
            ("any", "either", 7,
                ("all", "either[1]", 8,
                    ("item", "either[1].host", 8), ("item", "either[1].port", 9)),
                ("all", "either[2]", 10, ("item", "either[2].host", 10)))),
        ("not", "not 1 of filter_*", 16,
            ("any", "1 of filter_*", 16,
                ("all", "filter_a", 14, ("item", "filter_a.mark", 14)),
                ("all", "filter_b", 15, ("item", "filter_b.mark|exists", 15)))),
    )  # fmt: skip


def test_keywords_and_several_conditions() -> None:
    tree = read(TREE.replace("(user or either) and not 1 of filter_*", "[words, user]"))
    assert shape(tree)[:3] == ("any", "condition", 16)
    assert shape(tree.parts[0]) == ("all", "words", 11, ("item", "words", 11))
    assert tree.parts[0].parts[0].fields == ()
    assert tree.holds({"text": "the beta of it"})
    assert not tree.holds({"text": "gamma"})


def test_it_holds_where_the_rule_does_and_a_part_can_be_flipped() -> None:
    tree = read(TREE)
    record = {"name": "anna", "role": "root", "mark": 2}
    assert tree.holds(record)
    assert not tree.holds({"name": "anna", "role": "root", "mark": 1})
    user, not_ = tree.parts[0].parts[0], tree.parts[1]
    assert not tree.holds(record, user)
    assert not tree.holds(record, not_)
    assert tree.holds(record, tree.parts[0].parts[1])  # `either` too would only match once more


def test_what_can_hold_where_fields_are_never_there() -> None:
    tree = read(TREE)
    user, either = tree.parts[0].parts
    assert tree.can_hold(lambda _: True) == (True, True)
    assert user.can_hold(lambda field: field != "role") == (False, True)
    assert either.can_hold(lambda field: field != "port") == (True, True)
    assert either.can_hold(lambda field: field != "host") == (False, True)
    assert tree.can_hold(lambda field: field != "mark") == (False, True)  # filter_b is all that is

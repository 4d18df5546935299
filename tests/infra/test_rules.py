import os
from pathlib import Path
from typing import Any

import pytest

from infra.rules import LARGEST, TOLD, builtin, load, read, stray
from schemas.config import RulesConfig
from schemas.errors import Mistake

RULE = """\
title: {0}
name: {0}
logsource: {{product: test}}
detection: {{s: {{A: x}}, condition: s}}
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_files_and_folders_are_read_in_order_and_none_twice(tmp_path: Path) -> None:
    later = write(tmp_path / "b.yml", RULE.format("b"))
    deep = write(tmp_path / "a" / "deep" / "c.yml", RULE.format("c"))
    write(tmp_path / "a" / "notes.txt", "not a rule")
    write(tmp_path / "b.cases.yml", "[]")
    found = [file.document.path for file in read([later, tmp_path])]
    assert found == [str(later), str(deep)]


def test_cases_lie_beside_a_rule(tmp_path: Path) -> None:
    rule = write(tmp_path / "b.yml", RULE.format("b"))
    (alone,) = read([rule])
    assert alone.cases is None
    write(tmp_path / "b.cases.yml", "- name: a case\n")
    (proved,) = read([tmp_path])
    assert proved.cases is not None
    assert proved.cases.text == "- name: a case\n"


def test_other_rule_sets_end_their_files_otherwise(tmp_path: Path) -> None:
    rule = write(tmp_path / "c.yaml", RULE.format("c"))
    write(tmp_path / "c.cases.yml", "- name: a case\n")
    (found,) = read([tmp_path])
    assert found.document.path == str(rule)
    assert found.cases is not None


def test_cases_may_end_like_the_files_of_others(tmp_path: Path) -> None:
    rule = write(tmp_path / "c.yaml", RULE.format("c"))
    cases = write(tmp_path / "c.cases.yaml", "- name: a case\n")
    (found,) = read([tmp_path])
    assert (found.document.path, stray([tmp_path])) == (str(rule), [])
    assert found.cases is not None
    assert found.cases.path == str(cases)


def test_cases_of_no_rule_are_named(tmp_path: Path) -> None:
    rule = write(tmp_path / "new.yml", RULE.format("new"))
    write(tmp_path / "new.cases.yml", "- name: a case\n")
    twice = write(tmp_path / "new.cases.yaml", "- name: a case\n")
    old = write(tmp_path / "deep" / "old.cases.yml", "- name: a case\n")
    assert list(map(str, stray([tmp_path, rule]))) == [
        f"{old}: cases of no rule: beside it is no `old` with `.yml` nor `.yaml`",
        f"{twice}: not read: the cases of `new` are in new.cases.yml",
    ]
    assert stray([rule]) == []


def test_the_built_in_rules_have_their_cases() -> None:
    files = list(builtin())
    assert files
    assert [file.document.path for file in files if file.cases is None] == []


def config(*paths: Path, builtin: bool = False, **more: Any) -> RulesConfig:  # noqa: ANN401 - of any field
    return RulesConfig(paths=tuple(map(str, paths)), builtin=builtin, **more)


def test_rules_run_beside_the_built_in_ones_or_alone(tmp_path: Path) -> None:
    rule = write(tmp_path / "mine.yml", RULE.format("mine"))
    assert [one.detection.id for one in load(config(rule)).rules] == ["mine"]
    everything = load(config(rule, builtin=True)).rules
    assert len(everything) == len(load(RulesConfig()).rules) + 1


def test_given_signals_need_no_detections(tmp_path: Path) -> None:
    text = (
        "title: m\ncorrelation: {type: event_count, rules: x, timespan: 5m, condition: {gte: 2}}\n"
    )
    rule = write(tmp_path / "many.yml", text)
    assert load(config(rule), external=True).correlations[0].rules == ("x",)
    with pytest.raises(Mistake) as refused:
        load(config(rule))
    assert str(refused.value) == f"{rule}:2: `x` is no rule that is loaded"


def broken(folder: Path) -> None:
    write(folder / "a.yml", "title: a\n")
    write(folder / "b.yml", "[\n")
    (folder / "c.yml").write_bytes(b"title: c\nname: \xdcbel\n")
    (folder / "d.yml").write_bytes(b"#" * (LARGEST + 1))


def test_what_cannot_be_used_is_told_and_the_rest_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken(tmp_path)
    write(tmp_path / "e.yml", RULE.format("fine") + "---\ntitle: bad\n")
    loaded = load(config(tmp_path))
    assert [one.detection.id for one in loaded.rules] == ["fine"]
    keys = "a rule has exactly one of the keys `detection`, `correlation`, `filter`, `legs`"
    assert capsys.readouterr().err.splitlines() == [
        f"{tmp_path}/a.yml:1: {keys}; the rule is left out",
        f"{tmp_path}/b.yml:2: not YAML: did not find expected node content; the rule is left out",
        f"{tmp_path}/c.yml:2: not UTF-8: save it as UTF-8; the rule is left out",
        f"{tmp_path}/d.yml: larger than {LARGEST} bytes: divide it; the rule is left out",
        f"{tmp_path}/e.yml:6: {keys}; the rule is left out",
    ]


@pytest.mark.parametrize(("strict", "usable"), [(True, True), (False, False)])
def test_it_is_a_mistake_if_strict_or_if_nothing_is_left(
    tmp_path: Path, *, strict: bool, usable: bool
) -> None:
    broken(tmp_path)
    if usable:
        write(tmp_path / "e.yml", RULE.format("fine"))
    with pytest.raises(Mistake) as refused:
        load(config(tmp_path, builtin=True, strict=strict))
    assert str(refused.value).startswith(f"{tmp_path / 'a.yml'}:1: a rule has exactly one of")
    assert str(refused.value).endswith(" (and 3 more, barograph rules check names all)")


def test_a_flood_of_problems_is_counted_and_moves_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "a.yml", RULE.format("fine") + '---\n"\\e[2J": 1\n' + "---\na: 1\n" * 120)
    assert len(load(config(tmp_path)).rules) == 1
    told = capsys.readouterr().err.splitlines()
    assert len(told) == TOLD + 1
    assert told[-1] == "21 more problems, barograph rules check names all"
    assert all(line.isprintable() for line in told)


def test_a_pipeline_comes_with_the_package(tmp_path: Path) -> None:
    text = RULE.format("a").replace("product: test", "product: gcp").replace("A: x", "eventName: x")
    rule = write(tmp_path / "a.yml", text)
    (found,) = load(config(rule, pipelines=("sigmahq",))).rules
    assert found.reads == frozenset({"protoPayload.metadata.event.eventName"})
    with pytest.raises(Mistake, match=r"cannot read other: .*; name a pipeline"):
        load(config(rule, pipelines=("other",)))


def test_pipelines_and_placeholders_are_files_of_the_configuration(tmp_path: Path) -> None:
    rule = write(tmp_path / "r.yml", RULE.format("r").replace("A: x", "A|expand: '%who%'"))
    prefix = "transformations:\n- {type: field_name_prefix, prefix: p.}\n"
    pipeline = write(tmp_path / "p" / "prefix.yml", prefix)
    table = write(tmp_path / "p" / "table.yml", "placeholders: {who: [kim]}\n")
    given = config(rule, pipelines=(str(pipeline),), placeholders=(str(table),))
    assert load(given).rules[0].matches({"p": {"A": "KIM"}})
    assert load(given).sha256 != load(config(write(tmp_path / "s.yml", RULE.format("s")))).sha256
    for field, text, expected in (
        ("pipelines", "transformations: 5\n", ":1: `transformations` is a list; mend it there"),
        ("placeholders", "who: kim\n", ":1: a table of placeholders is `placeholders:` with names"),
    ):
        wrong = write(tmp_path / "p" / "wrong.yml", text)
        with pytest.raises(Mistake) as refused:
            load(config(rule).model_copy(update={field: (str(wrong),)}))
        assert str(refused.value).startswith(f"{wrong}{expected}")


def test_a_place_without_rules_is_a_mistake(tmp_path: Path) -> None:
    missing, empty = tmp_path / "missing.yml", tmp_path / "empty"
    empty.mkdir()
    for path, expected in (
        (
            missing,
            f"cannot read {missing}: No such file or directory; name a file or folder of rules",
        ),
        (empty, f"{empty} holds no rules; name a folder with .yml files"),
    ):
        with pytest.raises(Mistake) as refused:
            list(read([path]))
        assert str(refused.value) == expected


def test_what_cannot_be_read_in_a_folder_is_told_and_the_rest_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "a.yml", RULE.format("a"))
    write(tmp_path / "folder.yml" / "b.yml", RULE.format("b"))
    (tmp_path / "gone.yml").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.yml")
    loaded = load(RulesConfig(paths=(str(tmp_path),), builtin=False))
    assert [rule.detection.id for rule in loaded.rules] == ["a", "b"]
    assert capsys.readouterr().err.splitlines() == [
        f"{tmp_path}/gone.yml: cannot read it: No such file or directory; the rule is left out",
        f"{tmp_path}/pipe.yml: cannot read it: it is no regular file; the rule is left out",
    ]
    with pytest.raises(Mistake, match=r"cannot read .*gone.yml: No such file"):
        list(read([tmp_path / "gone.yml"]))


def test_what_a_name_with_a_dot_hides_is_no_rule(tmp_path: Path) -> None:
    """As Kubernetes mounts a ConfigMap: links into a folder of its version."""
    version = tmp_path / "..2026_03_02"
    version.mkdir()
    (version / "reads.yml").write_text("title: reads")
    (tmp_path / "..data").symlink_to(version.name)
    (tmp_path / "reads.yml").symlink_to("..data/reads.yml")
    assert [file.document.path for file in read([tmp_path])] == [str(tmp_path / "reads.yml")]

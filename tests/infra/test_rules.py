from pathlib import Path

import pytest

from infra.rules import LARGEST, builtin, load, read
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


def test_the_built_in_rules_have_their_cases() -> None:
    files = list(builtin())
    assert files
    assert [file.document.path for file in files if file.cases is None] == []


def test_rules_run_beside_the_built_in_ones_or_alone(tmp_path: Path) -> None:
    rule = write(tmp_path / "mine.yml", RULE.format("mine"))
    assert [one.detection.id for one in load([rule], builtin=False).rules] == ["mine"]
    assert len(load([rule]).rules) == len(load().rules) + 1


def test_given_signals_need_no_detections(tmp_path: Path) -> None:
    text = (
        "title: m\ncorrelation: {type: event_count, rules: x, timespan: 5m, condition: {gte: 2}}\n"
    )
    rule = write(tmp_path / "many.yml", text)
    assert load([rule], builtin=False, external=True).correlations[0].rules == ("x",)
    with pytest.raises(Mistake) as refused:
        load([rule], builtin=False)
    assert str(refused.value) == f"{rule}:2: `x` is no rule that is loaded"


def test_of_several_problems_the_first_is_told_and_the_others_counted(tmp_path: Path) -> None:
    write(tmp_path / "a.yml", "title: a\n")
    write(tmp_path / "b.yml", "[\n")
    write(tmp_path / "c.yml", "- c\n")
    with pytest.raises(Mistake) as refused:
        load([tmp_path], builtin=False)
    assert str(refused.value).startswith(f"{tmp_path / 'a.yml'}:1: a rule has exactly one of")
    assert str(refused.value).endswith(" (and 2 more, barograph rules check names all)")


def test_what_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    missing, empty = tmp_path / "missing.yml", tmp_path / "empty"
    empty.mkdir()
    latin = tmp_path / "latin.yml"
    latin.write_bytes("title: Übel\n".encode("latin-1"))
    large = tmp_path / "large.yml"
    large.write_bytes(b"#" * (LARGEST + 1))
    for path, expected in (
        (
            missing,
            f"cannot read {missing}: No such file or directory; name a file or folder of rules",
        ),
        (empty, f"{empty} holds no rules; name a folder with .yml files"),
        (latin, f"{latin} is not UTF-8 at byte 7; save it as UTF-8"),
        (large, f"{large} is larger than {LARGEST} bytes; divide it"),
    ):
        with pytest.raises(Mistake) as refused:
            list(read([path]))
        assert str(refused.value) == expected


def test_what_a_name_with_a_dot_hides_is_no_rule(tmp_path: Path) -> None:
    """As Kubernetes mounts a ConfigMap: links into a folder of its version."""
    version = tmp_path / "..2026_03_02"
    version.mkdir()
    (version / "reads.yml").write_text("title: reads")
    (tmp_path / "..data").symlink_to(version.name)
    (tmp_path / "reads.yml").symlink_to("..data/reads.yml")
    assert [file.document.path for file in read([tmp_path])] == [str(tmp_path / "reads.yml")]

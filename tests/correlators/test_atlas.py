"""ATLAS: tags and names resolve to ids that exist, and the data is whole."""

import pytest

from correlators.atlas import fold, name, technique
from schemas.atlas import atlas


def test_the_data_is_one_whole_version() -> None:
    known = atlas()
    assert known.version == "5.6.0"
    assert len(known.tactics) == 16
    assert len(known.techniques) == 170
    assert len(known.mitigations) == 35
    assert len(known.sequences) == 57
    assert sum(len(case) for case in known.sequences.values()) == 449


def test_every_reference_exists() -> None:
    known = atlas()
    assert {t for case in known.sequences.values() for t in case} <= set(known.techniques)
    assert {t for found in known.techniques.values() for t in found.tactics} <= set(known.tactics)
    assert {fold(id_) for id_ in known.techniques} <= set(known.techniques)


@pytest.mark.parametrize(
    ("tag", "id_"),
    [
        ("atlas.aml-t0086", "AML.T0086"),
        ("atlas.aml-t0051.000", "AML.T0051.000"),
        ("ATLAS.AML-T0086", "AML.T0086"),
        ("atlas.aml-t9999", None),
        ("atlas.aml-t0086.009", None),
        ("atlas.aml-ta0005", None),
        ("atlas.aml-t0086 ", None),
        ("atlas.aml-t\u0660\u0660\u0668\u0666", None),
        ("attack.t1078", None),
        ("", None),
    ],
)
def test_a_tag_names_a_technique_that_exists(tag: str, id_: str | None) -> None:
    assert technique(tag) == id_


@pytest.mark.parametrize(
    ("id_", "expected"),
    [
        ("AML.T0086", "Exfiltration via AI Agent Tool Invocation"),
        ("AML.T0051.001", "LLM Prompt Injection: Indirect"),
        ("AML.TA0011", "Impact"),
        ("AML.M0020", "Generative AI Guardrails"),
    ],
)
def test_an_id_has_a_name(id_: str, expected: str) -> None:
    assert name(id_) == expected


def test_an_unknown_id_has_none() -> None:
    with pytest.raises(KeyError):
        name("AML.T9999")


@pytest.mark.parametrize(
    ("id_", "folded"),
    [("AML.T0051.001", "AML.T0051"), ("AML.T0051", "AML.T0051"), ("end", "end"), ("", "")],
)
def test_a_sub_technique_folds_into_its_parent(id_: str, folded: str) -> None:
    assert fold(id_) == folded

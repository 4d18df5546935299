import pytest

from streams.names.advisories import fixed, known, named_in


@pytest.mark.parametrize(
    ("names", "of", "aliases"),
    [
        (["GHSA-aaaa-bbbb-cccc", "CVE-2026-0001"], "CVE-2026-0001", ["GHSA-aaaa-bbbb-cccc"]),
        (["PYSEC-1", "GHSA-aaaa-bbbb-cccc"], "GHSA-aaaa-bbbb-cccc", ["PYSEC-1"]),
        (["cve-2026-0001"], "CVE-2026-0001", None),
        (["CVE-2026-0002", "CVE-2026-0001"], "CVE-2026-0002", ["CVE-2026-0001"]),
        (["X-1", None, "X-1", ""], "X-1", None),
    ],
)
def test_the_name_that_others_know(names: list[object], of: str, aliases: list[str] | None) -> None:
    assert known(*names) == (of, aliases)


def test_no_name() -> None:
    assert known(None, "", [], 7.5) is None


@pytest.mark.parametrize(
    ("words", "of"),
    [
        ("CVE-2026-0001-libc6", "CVE-2026-0001"),
        ("cve-2026-0001", "CVE-2026-0001"),
        ("GHSA-aaaa-bbbb-cccc-ray", "GHSA-aaaa-bbbb-cccc"),
        ("py/cve-2026-0001", None),
    ],
)
def test_a_rule_that_is_a_vulnerability(words: str, of: str | None) -> None:
    assert named_in(words) == of


def test_versions_that_mend() -> None:
    assert fixed(["1.2", None, "2.0"]) == "1.2, 2.0"
    assert fixed([]) is None

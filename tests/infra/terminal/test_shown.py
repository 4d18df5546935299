import shlex
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.terminal import shown


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
def test_nothing_in_a_text_acts(text: str) -> None:
    said = shown.text(text)
    assert said.isprintable()
    assert not {unicodedata.bidirectional(c) for c in said} & {"RLO", "LRO", "RLE", "LRE", "RLI"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("invoice\u202efdp.exe", "invoice\\u202efdp.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("Zürich 東京 €", "Zürich 東京 €"),
        (17, "17"),
    ],
)
def test_a_text_shows_its_tricks(text: object, said: str) -> None:
    assert shown.text(text) == said


def test_a_long_text_says_what_is_missing() -> None:
    assert shown.text("abcdef", 4) == "abcd… (+2 characters)"


def test_a_short_name_keeps_both_ends() -> None:
    assert shown.short("sha256:0123456789abcdef", 12) == "sha256:…cdef"
    assert shown.short("claims", 12) == "claims"


def test_times_and_spans() -> None:
    assert shown.time(1_763_676_838_250_000) == "2025-11-20 22:13:58"
    assert shown.span(3 * 3_600_000_000) == "3 h"
    assert shown.span(90 * 60_000_000) == "90 min"
    assert shown.span(86_400_000_000) == "24 h"
    assert shown.span(1_500_000) == "1.5 s"


def test_numbers() -> None:
    assert shown.number(48211) == "48,211"
    assert shown.number(0.384616) == "0.385"
    assert shown.number(1.0) == "1"
    assert shown.number(-2200) == "\N{MINUS SIGN}2,200"
    assert [shown.signed(n) for n in (1540, -300, 0)] == ["+1,540", "\N{MINUS SIGN}300", "0"]
    assert [shown.percent(p) for p in (0, 0.004, 0.38, 0.996, 1)] == [
        "0 %",
        "< 1 %",
        "38 %",
        "> 99 %",
        "100 %",
    ]
    assert [shown.plural(n, "watch") for n in (0, 1, 2)] == ["0 watches", "1 watch", "2 watches"]


def test_a_command_gives_back_its_words() -> None:
    hostile = "x'; rm -rf ~; echo \"$(id)"
    assert shlex.split(shown.command("explain", hostile)) == ["barograph", "explain", hostile]

from html import unescape
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from infra.report.html import Html, entity, join, name, tag, when
from infra.terminal import shown


class Reader(HTMLParser):
    """Collects what a page's reader meets: elements, attribute values, text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.values: list[str | None] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.values += [value for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_a_text_stays_a_text(text: str) -> None:
    reader = Reader()
    reader.feed(tag("p", text, title=text))
    reader.close()
    assert reader.elements == ["p"]
    assert reader.text == shown.text(text)
    assert [unescape(value or "") for value in reader.values] == [shown.text(text)]


def test_an_element() -> None:
    assert tag("a", "x", class_="b", aria_label='"q"', href=None) == (
        '<a class="b" aria-label="&quot;q&quot;">x</a>'
    )
    assert tag("p", None, [1, (tag("b", "<"), "&")]) == "<p>1<b>&lt;</b>&amp;</p>"
    assert join("a", None, Html("<br>")) == "a<br>"


def test_a_name_is_isolated_and_its_kind_set_apart() -> None:
    assert name("שם") == "<bdi>שם</bdi>"
    assert entity("mcp_server:a<b") == (
        '<span><span class="kind">mcp server</span> <bdi>a&lt;b</bdi></span>'
    )
    assert entity("claims: portal") == "<bdi>claims: portal</bdi>"


def test_a_time_is_exact_for_programs() -> None:
    assert (
        when(250_000) == '<time datetime="1970-01-01T00:00:00.250000Z">1970-01-01 00:00:00</time>'
    )

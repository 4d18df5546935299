import re
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

import pytest

from infra.report.estate import Estate, estate
from infra.report.report import headline, render
from tests.infra.report.hostile import ATTACKS, hostile
from tests.infra.report.sample import evidence, expired, sample, tables, warning

VOID = {"meta", "br"}
STYLE = files("infra.report").joinpath("style.css").read_text("utf-8")


class Page(HTMLParser):
    """What a page holds, by element; what was opened last must be closed first."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.seen if tag in tags]


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast of two colours `#rrggbb`."""

    def luminance(colour: str) -> float:
        shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_headline_counts_what_stands_and_what_ended() -> None:
    assert headline(sample()) == "1 warning, 1 watch expired, 3 systems"
    calm = {**tables(), "alerts": [expired()]}
    assert headline(estate(calm, {})) == "No open alert, 1 watch expired, 3 systems"


def test_the_same_estate_gives_the_same_page() -> None:
    assert render(sample()) == render(sample())


@pytest.mark.parametrize(
    "known", [sample(), hostile(), Estate()], ids=["sample", "hostile", "empty"]
)
def test_the_page_is_whole_and_asks_for_nothing(known: Estate) -> None:
    page = Page(render(known))
    assert page.open == []
    assert not page.of("script", "link", "img", "iframe", "object", "embed", "form", "base", "use")
    links = [attributes["href"] for attributes in page.of("a")]
    assert all(link is not None and re.fullmatch(r"#[a-z0-9-]+", link) for link in links)
    ids = [a["id"] for _, a in page.seen if "id" in a]
    assert len(ids) == len(set(ids))
    assert {str(link)[1:] for link in links} <= {*ids, "systems"}
    assert not [a for _, a in page.seen if any(name.startswith("on") for name in a)]
    assert "url(" not in STYLE
    assert "@import" not in STYLE


def test_the_policy_allows_styles_and_nothing_else() -> None:
    (policy,) = [m for m in Page(render(sample())).of("meta") if "http-equiv" in m]
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_headings_go_down_one_step_at_a_time() -> None:
    levels = [int(tag[1]) for tag, _ in Page(render(sample())).seen if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_landmarks_tables_and_pictures_have_names() -> None:
    page = Page(render(sample()))
    assert len(page.of("main")) == len(page.of("footer")) == 1
    assert all(th.get("scope") in {"col", "row"} for th in page.of("th"))
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in page.of("svg"))
    regions = [a for _, a in page.seen if a.get("tabindex") == "0"]
    assert all(region["role"] == "region" and region["aria-label"] for region in regions)


def test_an_attack_is_shown_and_does_nothing() -> None:
    html = render(hostile())
    for attack in ATTACKS[:3]:
        assert attack not in html
    assert "&lt;script&gt;document.title=&#x27;owned&#x27;&lt;/script&gt;" in html
    assert "invoice\\u202efdp.exe\\u2066\\u200b" in html
    assert "$style ${body} {{7*7}} %s" in html
    assert not set(html) & {"\x1b", "\x07", "\u202e", "\u2066", "\u200b"}


def test_every_claim_leads_to_its_record() -> None:
    html = render(sample())
    turned = evidence("turned")[0]
    assert turned["event"] in html
    assert turned["sha256"] in html
    assert f"barograph verify {warning()['id']}" in html
    assert f"barograph explain {warning()['id']}" in html


def test_an_empty_store_says_what_to_do_next() -> None:
    html = render(Estate())
    assert "No open alert, 0 systems" in html
    assert "barograph demo" in html
    assert "No figures were kept of this run." in html


def test_a_long_list_is_cut_and_says_so() -> None:
    alerts = [{**warning(), "id": f"{n:032}"} for n in range(203)]
    html = render(estate({**tables(), "alerts": alerts}, {}))
    assert html.count('<article class="alert"') == 200
    assert "3 alerts more" in html


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_texts_can_be_read(scheme: str) -> None:
    blocks = re.findall(r":root \{(.*?)\n *\}", STYLE, re.DOTALL)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})\b", blocks[0]))
    if scheme != "light":
        colours |= re.findall(
            r"--([a-z-]+): (#[0-9a-f]{3,6})\b", blocks[1 if scheme == "dark" else 2]
        )
    colours = {
        k: v if len(v) == 7 else f"#{v[1] * 2}{v[2] * 2}{v[3] * 2}" for k, v in colours.items()
    }
    stages = ("calm", "outlook", "watch", "warning")
    pairs = [
        (text, ground)
        for text in ("text", "soft", "ink", *stages)
        for ground in ("page", "card", "paper")
    ]
    pairs += [("on-stage", stage) for stage in stages]
    assert {pair: c for pair in pairs if (c := contrast(*(colours[k] for k in pair))) < 4.5} == {}

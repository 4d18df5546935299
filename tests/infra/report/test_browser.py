from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from infra.report.estate import Estate
from infra.report.report import render
from tests.infra.report.chromium import Page, chromium
from tests.infra.report.hostile import hostile
from tests.infra.report.sample import sample

pytestmark = pytest.mark.chromium


@pytest.fixture
async def page(tmp_path: Path) -> AsyncGenerator[Page, None]:
    async with chromium(tmp_path / "profile") as page:
        yield page


def written(known: Estate, folder: Path) -> Path:
    file = folder / "report.html"
    file.write_text(render(known), "utf-8")
    return file


async def colour(page: Page, selector: str, property_: str) -> object:
    return await page.value(f"getComputedStyle(document.querySelector('{selector}')).{property_}")


@pytest.mark.parametrize(
    "known", [sample(), hostile(), Estate()], ids=["sample", "hostile", "empty"]
)
async def test_no_complaint_and_no_request(page: Page, known: Estate, tmp_path: Path) -> None:
    file = written(known, tmp_path)
    for width, scheme in ((1180, "light"), (1180, "dark"), (360, "light")):
        await page.look(width, scheme)
        await page.open(file)
        assert await page.value("document.documentElement.scrollWidth") == width
    assert set(page.requests) == {file.as_uri()}
    assert page.complaints == []
    title = await page.value("document.title")
    assert str(title).startswith("Barograph: ")


async def test_what_is_folded_away_fits_too(page: Page, tmp_path: Path) -> None:
    await page.look(360)
    await page.open(written(hostile(), tmp_path))
    await page.value("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert await page.value("document.documentElement.scrollWidth") == 360


async def test_the_page_follows_the_reader_s_scheme(page: Page, tmp_path: Path) -> None:
    await page.open(written(sample(), tmp_path))
    await page.look(1180, "light")
    light = await colour(page, "body", "backgroundColor")
    await page.look(1180, "dark")
    assert (light, await colour(page, "body", "backgroundColor")) == (
        "rgb(234, 238, 235)",
        "rgb(14, 20, 18)",
    )


async def test_a_dark_page_is_printed_on_white_paper(page: Page, tmp_path: Path) -> None:
    await page.open(written(sample(), tmp_path))
    await page.look(1180, "dark", "print")
    assert await colour(page, "body", "backgroundColor") == "rgb(255, 255, 255)"
    assert await colour(page, "body", "color") == "rgb(0, 0, 0)"
    await page.look(1180, "dark")
    document = await page.pdf()
    assert document.startswith(b"%PDF-")
    assert document.count(b"/Type /Page\n") >= 2


async def test_the_trace_s_newest_end_is_in_view_on_a_narrow_screen(
    page: Page, tmp_path: Path
) -> None:
    await page.look(360)
    await page.open(written(sample(), tmp_path))
    pen = "document.querySelector('.pen').getBoundingClientRect().right"
    assert 180 < float(str(await page.value(pen))) < 360


async def test_a_policy_stands_behind_the_escaping(page: Page, tmp_path: Path) -> None:
    file = written(sample(), tmp_path)
    inject = "<script>document.title='owned'</script><img src=https://evil.example.test/x>"
    file.write_text(file.read_text("utf-8").replace("</main>", f"{inject}</main>"), "utf-8")
    await page.open(file)
    assert "owned" not in str(await page.value("document.title"))
    blocked = [words for words in page.complaints if "Content Security Policy" in words]
    assert len(blocked) == len(page.complaints) == 2

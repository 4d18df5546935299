"""`barograph report`: the page of a store."""

from pathlib import Path

import pytest

from infra.cli import main
from tests.infra.report.sample import CLAIMS, warning
from tests.infra.written import result, written


@pytest.fixture
def store(tmp_path: Path) -> str:
    system = {"id": CLAIMS, "name": "claims-portal", "root": CLAIMS, "members": [CLAIMS]}
    return str(written(tmp_path, [result("alert", 0, warning()), result("system", 0, system)]))


def test_the_page_of_a_store(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert main(["report", "--store", store, "--output", str(page)]) == 0
    assert capsys.readouterr().out == f"{page}: 1 warning, 1 system\n"
    assert warning()["title"] in page.read_text("utf-8")
    assert "No figures were kept of this run." in page.read_text("utf-8")


def test_of_one_system(store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    asked = ["report", "--store", store, "--output", str(page), "--system"]
    assert main([*asked, "claims-portal"]) == 0
    assert main([*asked, "nobody"]) == 2
    said = capsys.readouterr().err
    assert said == "barograph: no AI system is called nobody; there are claims-portal\n"


def test_a_place_that_cannot_be_written(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "nowhere" / "page.html"
    assert main(["report", "--store", store, "--output", str(page)]) == 3
    assert "cannot be written: No such file or directory" in capsys.readouterr().err


def test_figures_that_are_damaged(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "summary.json").write_text("{")
    assert main(["report", "--store", store, "--output", str(tmp_path / "page.html")]) == 2
    assert "summary.json cannot be read" in capsys.readouterr().err

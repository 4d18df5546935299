"""docs/soc.md is true: every command of it runs over the demo, and says what is printed there."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "soc.md"


def sessions() -> Iterator[tuple[str, list[str]]]:
    """Each command of the page with the lines under it."""
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        first, *lines = block.splitlines()
        yield first.removeprefix("$ "), lines


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["demo", "--fast"]) == 0
    return folder


@pytest.mark.parametrize(("command", "lines"), list(sessions()))
def test_a_command_says_what_the_page_shows(
    desk: Path,
    command: str,
    lines: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(desk)
    program, *argv = shlex.split(command)
    assert program == "barograph"
    assert main(argv) == 0
    said = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    place, skipping = 0, False
    for line in lines:
        if line == "...":
            skipping = True
            continue
        found = said.index(line, place)  # a line that is not there is a ValueError that names it
        assert skipping or found == place, f"before {line!r} stands {said[place]!r}"
        place, skipping = found + 1, False
    assert skipping or place == len(said)


def test_the_page_has_a_command_for_each_step() -> None:
    assert len(list(sessions())) >= 9

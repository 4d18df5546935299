"""docs/boards/*.png: what each board shows of the demo, drawn from real answers to its queries."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from infra.boards.found import boards
from infra.boards.parts.board import Board
from infra.dev.pictures.asking import Asking, Span
from infra.dev.pictures.history import SPAN, backfill
from infra.dev.pictures.page import WIDTH, height, page
from infra.dev.showcase import Showcase
from schemas.times import SECOND

OUT: Final = Path("docs/boards")
LIVE: Final = frozenset({"barograph-pipeline"})  # of itself a run has only what it has just done
FLAGS: Final = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


def main() -> None:
    """Needs prometheus, promtool and chromium; takes three minutes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR")
    parser.add_argument("--no-history", action="store_true", help="only what is now; a minute")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)

        def history(blocks: Path, instance: str) -> None:
            if not args.no_history:
                backfill(folder, blocks, round(time.time() * SECOND), instance)

        with Showcase(folder, blocks=history) as showcase:
            began = time.time()
            time.sleep(45)  # so that rates have something to show
            now = time.time()
            for board in boards():
                live = board.uid in LIVE or args.no_history
                span = Span(began - 15 if live else now - SPAN / SECOND, now)
                _drawn(board, Asking(showcase, board, span), folder, args.out)


def _drawn(board: Board, ask: Asking, folder: Path, out: Path) -> None:
    name = board.uid.removeprefix("barograph-")
    file = folder / f"{name}.html"
    file.write_text(page(board, ask), encoding="utf-8")
    picture = (out / f"{name}.png").resolve()
    words = (
        *("chromium", *FLAGS, "--hide-scrollbars", f"--user-data-dir={folder / 'profile'}"),
        *(f"--window-size={WIDTH},{height(board)}", f"--screenshot={picture}", file.as_uri()),
    )
    subprocess.run(words, check=True, capture_output=True)  # noqa: S603 - words of ours
    print(f"{picture} {picture.stat().st_size:,} bytes", file=sys.stderr)


main()

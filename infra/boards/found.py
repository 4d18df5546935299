"""The boards that there are: the folder is the list."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from infra.boards import dashboards
from infra.boards.parts.board import Board


def boards() -> list[Board]:
    """Every board, by uid."""
    names = sorted(module.name for module in iter_modules(dashboards.__path__))
    found: list[Board] = [import_module(f"{dashboards.__name__}.{name}").BOARD for name in names]
    return found

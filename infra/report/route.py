"""Where the boxes of a lineage picture lie, and how its edges run between them."""

from __future__ import annotations

from typing import NamedTuple

from infra.report.lineage import Lineage, Link, Node

BOX_WIDTH, BOX_HEIGHT = 130, 42
GAP_X, GAP_Y = 60, 32
MARGIN, HEAD = 8, 26
SIDE = 34  # on the right, where edges inside the last column go around
BLUNT = 6  # an edge ends inside its arrowhead


class Route(NamedTuple):
    """The curve of an edge, its arrowhead (both as SVG path data), and where its label stands."""

    curve: str
    head: str
    label: tuple[float, float]


def size(picture: Lineage) -> tuple[int, int]:
    """Width and height of the whole picture."""
    column = max(node.column for node in picture.nodes.values())
    row = max(node.row for node in picture.nodes.values())
    around = any(_goes_around(picture, link) for link in picture.links)
    width = left(column) + BOX_WIDTH + MARGIN + (SIDE if around else 0)
    return width, HEAD + (row + 1) * (BOX_HEIGHT + GAP_Y)


def left(column: int) -> int:
    """Where a column begins."""
    return MARGIN + column * (BOX_WIDTH + GAP_X)


def corner(node: Node) -> tuple[int, int]:
    """The upper left corner of a box."""
    return left(node.column), HEAD + node.row * (BOX_HEIGHT + GAP_Y)


def route(picture: Lineage, link: Link) -> Route:
    """From box to box: straight, or through the gap between rows, or around."""
    from_, to = picture.nodes[link.from_], picture.nodes[link.to]
    if _goes_around(picture, link):
        return _around(from_, to)
    return _down(from_, to) if from_.column == to.column else _across(from_, to)


def _goes_around(picture: Lineage, link: Link) -> bool:
    from_, to = picture.nodes[link.from_], picture.nodes[link.to]
    return from_.column == to.column and abs(from_.row - to.row) != 1


def _around(from_: Node, to: Node) -> Route:
    """In one column past other boxes (or back to itself): out and in on the right."""
    x = left(from_.column) + BOX_WIDTH
    start = corner(from_)[1] + BOX_HEIGHT / 2 - BLUNT
    end = corner(to)[1] + BOX_HEIGHT / 2 + BLUNT
    curve = f"M{x} {start:g}C{x + 40} {start:g} {x + 40} {end:g} {x + BLUNT} {end:g}"
    return Route(curve, _head(x, end, -1, 0), (x + 30, (start + end) / 2 - 6))


def _down(from_: Node, to: Node) -> Route:
    """In one column to the neighbour below, or above."""
    down = 1 if to.row > from_.row else -1
    x = left(from_.column) + BOX_WIDTH / 2
    start, end = corner(from_)[1], corner(to)[1]
    start, end = (start + BOX_HEIGHT, end) if down > 0 else (start, end + BOX_HEIGHT)
    curve = f"M{x:g} {start}V{end - BLUNT * down}"
    return Route(curve, _head(x, end, 0, down), (x + 30, max(start, end) - 5))


def _across(from_: Node, to: Node) -> Route:
    """To another column; past a column in between, in the gap below the row of the start."""
    right = 1 if to.column > from_.column else -1
    (start, top), (end, to_top) = corner(from_), corner(to)
    start, end = (start + BOX_WIDTH, end) if right > 0 else (start, end + BOX_WIDTH)
    y1, y2 = top + BOX_HEIGHT / 2, to_top + BOX_HEIGHT / 2
    head = _head(end, y2, right, 0)
    past = abs(to.column - from_.column) - 1
    if not past:
        curve = f"M{start} {y1:g}{_bend(start, y1, end - BLUNT * right, y2)}"
        return Route(curve, head, ((start + end) / 2, (y1 + y2) / 2 - 6))
    low = top + BOX_HEIGHT + 5 + 4 * (past % 3)  # edges of one row side by side
    leave, arrive = start + GAP_X * right, end - GAP_X * right
    into, out = _bend(start, y1, leave, low), _bend(arrive, low, end - BLUNT * right, y2)
    label = (arrive + end) / 2, (low + y2) / 2 + 4  # where edges to different rows have parted
    return Route(f"M{start} {y1:g}{into}H{arrive}{out}", head, label)


def _bend(x1: float, y1: float, x2: float, y2: float) -> str:
    """An S from one point to another, level at both."""
    middle = (x1 + x2) / 2
    return f"C{middle:g} {y1:g} {middle:g} {y2:g} {x2:g} {y2:g}"


def _head(x: float, y: float, across: int, down: int) -> str:
    """An arrowhead with its point at (x, y)."""
    back_x, back_y = x - 8 * across, y - 8 * down
    return (
        f"M{x:g} {y:g}L{back_x - 4 * down:g} {back_y - 4 * across:g}"
        f"L{back_x + 4 * down:g} {back_y + 4 * across:g}Z"
    )

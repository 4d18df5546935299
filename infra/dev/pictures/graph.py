"""Graph: a node graph in layers from left to right, as the panel lays it out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from infra.report.html import Html, join, tag

Json = dict[str, Any]
RADIUS: Final = 20
NAME: Final = 26  # characters of a title


def graph(nodes: Sequence[Json], edges: Sequence[Json], width: float, height: float) -> Html:
    """Nodes by their depth; within a layer in the order given."""
    depth = _depths(nodes, edges)
    layers: dict[int, list[str]] = defaultdict(list)
    for node in nodes:
        layers[depth[node["id"]]].append(node["id"])
    place: dict[str, tuple[float, float]] = {}
    across = (width - 220) / max(len(layers) - 1, 1)
    for column, (_, names) in enumerate(sorted(layers.items())):
        for row, name in enumerate(names):
            shift = (column % 2) * 14 - 7 if len(layers) > 1 else 0
            y = (row + 0.5) * (height - 24) / len(names) + shift - 4
            place[name] = (90 + column * across, y)
    return tag(
        "svg",
        *(_edge(edge, place) for edge in edges),
        *(_node(node, place[node["id"]]) for node in nodes),
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        class_="graph",
    )


def _depths(nodes: Sequence[Json], edges: Sequence[Json]) -> dict[str, int]:
    """The fewest steps from the first node, over edges either way where none leads there."""
    depth = {nodes[0]["id"]: 0} if nodes else {}
    frontier = list(depth)
    while frontier:
        following = [
            (edge["target"], depth[name] + 1)
            for name in frontier
            for edge in edges
            if edge["source"] == name and edge["target"] not in depth
        ]
        frontier = []
        for name, far in following:
            if name not in depth:
                depth[name] = far
                frontier.append(name)
    last = max(depth.values(), default=0)
    for node in nodes:
        near = [
            depth[edge["target"]]
            for edge in edges
            if edge["source"] == node["id"] and edge["target"] in depth
        ]
        depth.setdefault(node["id"], max(min(near) - 1, 0) if near else last + 1)
    return depth


def _edge(edge: Json, place: dict[str, tuple[float, float]]) -> Html:
    (x1, y1), (x2, y2) = place[edge["source"]], place[edge["target"]]
    middle = (x1 + x2) / 2
    bend = 40 if x1 == x2 else 0
    turn = middle + bend
    way = f"M{x1:.0f} {y1:.0f}C{turn:.0f} {y1:.0f} {turn:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
    # Where the words do not lie on those of the neighbours: two fifths of the way.
    at, up = x1 + (x2 - x1) * 0.4 + bend * 0.75, y1 + (y2 - y1) * 0.35
    return join(
        tag("path", d=way, stroke=edge["color"], class_="edge"),
        tag("text", edge["mainstat"], x=f"{at:.0f}", y=f"{up - 3:.0f}", class_="relation"),
    )


def _node(node: Json, place: tuple[float, float]) -> Html:
    x, y = place
    title = str(node["title"])
    if len(title) > NAME:
        title = f"{title[: NAME // 2]}…{title[-NAME // 2 + 1 :]}"
    return join(
        tag("circle", cx=f"{x:.0f}", cy=f"{y:.0f}", r=RADIUS, stroke=node["color"], class_="node"),
        tag("text", node["mainstat"], x=f"{x:.0f}", y=f"{y - 1:.0f}", class_="stat"),
        tag("text", node["secondarystat"], x=f"{x:.0f}", y=f"{y + 9:.0f}", class_="stat"),
        tag("text", title, x=f"{x:.0f}", y=f"{y + RADIUS + 13:.0f}", class_="title"),
        tag("text", node["subtitle"], x=f"{x:.0f}", y=f"{y + RADIUS + 25:.0f}", class_="sub"),
    )

"""CVSS: the base score that a vector of version 3 says (specification 3.1, section 7.1)."""

from __future__ import annotations

from math import floor
from typing import Final

_SCALES: Final[dict[str, dict[str, float]]] = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0},
    "I": {"H": 0.56, "L": 0.22, "N": 0},
    "A": {"H": 0.56, "L": 0.22, "N": 0},
}
_PRIVILEGES: Final = {
    "U": {"N": 0.85, "L": 0.62, "H": 0.27},
    "C": {"N": 0.85, "L": 0.68, "H": 0.5},
}


def score(vector: str) -> float | None:
    """From 0 to 10; None of what is no whole vector of version 3."""
    head, _, rest = vector.strip()[:256].partition("/")
    if head not in {"CVSS:3.0", "CVSS:3.1"}:
        return None
    said = dict(part.split(":", 1) for part in rest.split("/") if ":" in part)
    try:
        value = {name: scale[said[name]] for name, scale in _SCALES.items()}
        changed, privileges = said["S"] == "C", _PRIVILEGES[said["S"]][said["PR"]]
    except KeyError:
        return None
    base = 1 - (1 - value["C"]) * (1 - value["I"]) * (1 - value["A"])
    impact = 6.42 * base
    if changed:
        impact = 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15
    if impact <= 0:
        return 0.0
    exploitable = 8.22 * value["AV"] * value["AC"] * privileges * value["UI"]
    return _up(min((1.08 if changed else 1) * (impact + exploitable), 10))


def _up(value: float) -> float:
    """Rounded up to one decimal, as appendix A does it."""
    whole = round(value * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (floor(whole / 10_000) + 1) / 10

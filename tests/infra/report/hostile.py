"""An estate whose every text tries to be more than a text."""

from typing import Any

from infra.report.estate import Estate, estate
from tests.infra.report.sample import SUMMARY, Row, tables

ATTACKS = (
    "<script>document.title='owned'</script>",
    "\"'><img src=https://evil.example.test/x onerror=alert(1)>",
    "</title></svg></style><iframe src=https://evil.example.test></iframe>",
    "invoice\u202efdp.exe\u2066\u200b",
    "\x1b[31m\x1b]0;owned\x07",
    "$style ${body} {{7*7}} %s",
    "javascript:alert(1)",
    "x" * 400,
)
STRUCTURE = {"stage", "peak_stage", "status", "severity", "state", "outcome"}


def poisoned(value: Any, number: int) -> Any:  # noqa: ANN401 - any JSON
    """Every text of a record with an attack behind it, but for times and words of an enum."""
    if isinstance(value, dict):
        return {k: v if k in STRUCTURE else poisoned(v, number) for k, v in value.items()}
    if isinstance(value, list):
        return [poisoned(item, number) for item in value]
    if isinstance(value, str) and not value.startswith("2026-"):
        return f"{value}{ATTACKS[number % len(ATTACKS)]}"
    return value


def hostile() -> Estate:
    """The sample once for each attack; entity kinds are kept, as the schema holds them."""
    rows: dict[str, list[Row]] = {}
    for number in range(len(ATTACKS)):
        for table, bodies in tables().items():
            for body in bodies:
                kept = {"entities": body["entities"]} if "entities" in body else {}
                rows.setdefault(table, []).append({**poisoned(body, number), **kept})
    return estate(rows, SUMMARY)

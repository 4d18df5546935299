"""Data sources: where a panel asks; a board names them by variables, so any of the kind will do."""

from __future__ import annotations

from typing import Any, NamedTuple

Json = dict[str, Any]


class Source(NamedTuple):
    """A kind of data source: its plugin, the variable that chooses one, and ours of this kind."""

    plugin: str
    variable: str
    label: str
    uid: str
    name: str

    def reference(self) -> Json:
        """How a panel, a query or a variable names it."""
        return {"type": self.plugin, "uid": f"${{{self.variable}}}"}


PROMETHEUS = Source(
    "prometheus", "prometheus", "Metrics", "barograph-prometheus", "Barograph metrics"
)
API = Source("yesoreyeram-infinity-datasource", "api", "API", "barograph-api", "Barograph API")
SOURCES = (PROMETHEUS, API)

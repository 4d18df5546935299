"""[grafana] of the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.boards.data_sources import chosen, data_sources, secrets
from infra.settings import load
from schemas.errors import Mistake


def test_the_environment_says_it_all(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("glsa_example\n")
    environment = {
        "BAROGRAPH_GRAFANA__URL": "https://grafana.example/sub",
        "BAROGRAPH_GRAFANA__TOKEN_FILE": str(token),
        "BAROGRAPH_GRAFANA__PROMETHEUS_UID": "prom",
        "BAROGRAPH_GRAFANA__API": "http://10.0.0.1:9464/baro/",
    }
    config = load(None, environment).grafana
    assert config.url == "https://grafana.example/sub"
    assert config.token is not None
    assert config.token.get_secret_value() == "glsa_example"
    assert "glsa" not in repr(config)
    assert chosen(config) == {"prometheus": "prom", "api": "barograph-api"}
    (source,) = data_sources(config)
    assert source["url"] == "http://10.0.0.1:9464/baro"
    assert source["jsonData"]["allowedHosts"] == ["http://10.0.0.1:9464"]
    assert source["jsonData"]["auth_method"] == "none"
    assert secrets(config, source) == {}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("URL", "grafana.example", "String should match pattern"),
        ("URL", "https://admin:admin@grafana.example", "String should match pattern"),
        ("PROMETHEUS_UID", "a b", "String should match pattern"),
        ("COLOUR", "blue", "there is no such setting"),
    ],
)
def test_what_cannot_be_is_a_mistake(name: str, value: str, said: str) -> None:
    with pytest.raises(
        Mistake, match=f"^BAROGRAPH_GRAFANA__{name}: grafana.{name.lower()}: {said}"
    ):
        load(None, {f"BAROGRAPH_GRAFANA__{name}": value})


def test_a_data_source_is_made_or_taken_and_not_both() -> None:
    both = {
        "BAROGRAPH_GRAFANA__API": "http://10.0.0.1:9464",
        "BAROGRAPH_GRAFANA__API_UID": "x",
    }
    with pytest.raises(Mistake, match="api makes a data source, api_uid takes one: say one"):
        load(None, both)

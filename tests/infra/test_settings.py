"""Settings: one TOML file, the environment above it, and errors that name the place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from infra.settings import load
from schemas.config import Config
from schemas.errors import Mistake
from schemas.times import MINUTE

TEXT = """\
data = "here"

[[input]]
name = "logs"
path = "logs/"
source = "cloudtrail"
lateness = "20m"

[[sink]]
name = "soc"
kind = "webhook"
url = "https://soc.example/hook"

[[system]]
name = "shop"
root = "application:shop"
members = ["model:m1"]

[server]
port = 9000
"""

Loaded = Callable[..., Config]


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    """Load this text as ./barograph.toml with this environment."""
    monkeypatch.chdir(tmp_path)

    def load_(text: str | None = None, **environment: str) -> Config:
        if text is not None:
            Path("barograph.toml").write_text(text)
        return load(None, environment)

    return load_


def test_without_a_file_there_are_defaults(loaded: Loaded) -> None:
    assert loaded() == Config()


def test_the_file_in_the_working_directory_is_read(loaded: Loaded) -> None:
    config = loaded(TEXT)
    assert (config.data, config.server.port, config.server.host) == ("here", 9000, "127.0.0.1")
    assert [(one.name, one.source, one.lateness) for one in config.input] == [
        ("logs", "cloudtrail", 20 * MINUTE)
    ]
    (system,) = config.system
    assert (system.root.key, [member.key for member in system.members]) == (
        "application:shop",
        ["model:m1"],
    )


def test_another_file_may_be_named(loaded: Loaded, tmp_path: Path) -> None:
    loaded(TEXT)
    other = tmp_path / "other.toml"
    other.write_text('data = "there"')
    assert load(other, {}).data == "there"
    assert load(str(other), {}).data == "there"


def test_the_environment_wins_and_nests(loaded: Loaded) -> None:
    config = loaded(
        TEXT,
        BAROGRAPH_DATA="elsewhere",
        BAROGRAPH_SERVER__PORT="0",
        BAROGRAPH_LIMITS__FUTURE="1m",
        BAROGRAPH_INPUT__0__LATENESS="5m",
        PATH="/bin",
    )
    assert (config.data, config.server.port) == ("elsewhere", 0)
    assert (config.limits.future, config.input[0].lateness) == (MINUTE, 5 * MINUTE)
    assert config.input[0].source == "cloudtrail"


def test_a_secret_may_lie_in_a_file(loaded: Loaded, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("obviously-fake\n")
    config = loaded(TEXT, BAROGRAPH_SINK__0__SECRET_FILE=str(tmp_path / "secret"))
    secret = config.sink[0].secret
    assert secret is not None
    assert secret.get_secret_value() == "obviously-fake"
    assert "obviously" not in repr(config)


def test_the_key_of_fingerprints_goes_where_records_are_read(
    loaded: Loaded, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("obviously-fake-key\n")
    config = loaded(TEXT, BAROGRAPH_PRIVACY__KEY_FILE=str(tmp_path / "key"))
    assert config.limits.key is not None
    assert config.limits.key.get_secret_value() == "obviously-fake-key"
    assert config.limits.future == loaded(TEXT).limits.future
    assert "obviously" not in repr(config)
    assert "obviously" not in str(config.body())
    assert loaded(TEXT).limits.key is None
    with pytest.raises(Mistake, match=r"privacy\.key"):
        loaded(TEXT, BAROGRAPH_PRIVACY__KEY="short")


def test_names_of_others_are_no_settings(loaded: Loaded) -> None:
    kubernetes = {
        "BAROGRAPH_SERVICE_HOST": "10.0.0.1",
        "BAROGRAPH_SERVICE_PORT": "9464",
        "BAROGRAPH_SERVICE_PORT_HTTP": "9464",
        "BAROGRAPH_PORT": "tcp://10.0.0.1:9464",
        "BAROGRAPH_PORT_9464_TCP_ADDR": "10.0.0.1",
    }
    tests = {"BAROGRAPH_SHARED": "x", "BAROGRAPH_TRIALS": "1", "BAROGRAPH_KILLS": "1"}
    assert loaded(**kubernetes, **tests) == Config()


UNKNOWN = "there is no such setting"
NO_PORT = "Input should be a valid integer, unable to parse string as an integer"
NO_NAME = "String should match pattern '^[A-Za-z0-9_.-]{1,64}$'"
NO_SPAN = "Value error, not a duration like 30s, 15m, 24h or 7d: 'soon'"


@pytest.mark.parametrize(
    ("text", "field", "what"),
    [
        ("port = 1", "port", UNKNOWN),
        ("[server]\nprt = 1", "server.prt", UNKNOWN),
        ("[server]\nport = 99999", "server.port", "Input should be less than or equal to 65535"),
        ('[[input]]\nname = "a b"', "input.0.name", NO_NAME),
        ('[limits]\nfuture = "soon"', "limits.future", NO_SPAN),
    ],
)
def test_what_is_wrong_in_the_file_is_named(
    loaded: Loaded, text: str, field: str, what: str
) -> None:
    with pytest.raises(Mistake) as told:
        loaded(text)
    assert str(told.value) == f"barograph.toml: {field}: {what}; mend or remove it"


@pytest.mark.parametrize(
    ("name", "field", "what"),
    [
        ("BAROGRAPH_SERVER__PORT", "server.port", NO_PORT),
        ("BAROGRAPH_SURVER__PORT", "surver", UNKNOWN),
        ("BAROGRAPH_SERVER__PRT", "server.prt", UNKNOWN),
    ],
)
def test_what_is_wrong_in_the_environment_is_named(
    loaded: Loaded, name: str, field: str, what: str
) -> None:
    with pytest.raises(Mistake) as told:
        loaded(TEXT, **{name: "x"})
    assert str(told.value) == f"{name}: {field}: {what}; mend or remove it"


@pytest.mark.parametrize(
    ("name", "key"), [("BAROGRAPH_SINK__1__SECRET", "1"), ("BAROGRAPH_DATA__X", "x")]
)
def test_a_variable_that_leads_nowhere_is_named(loaded: Loaded, name: str, key: str) -> None:
    with pytest.raises(Mistake) as told:
        loaded(TEXT, **{name: "x"})
    assert str(told.value) == (
        f"{name}: there is nothing to set at {key}; entries are numbered from 0"
    )


def test_an_error_does_not_show_a_secret(loaded: Loaded) -> None:
    with pytest.raises(Mistake) as told:
        loaded(TEXT.replace('url = "https', 'secret = ["obviously-fake"]\nurl = "https'))
    assert "obviously-fake" not in str(told.value)


def test_a_file_that_is_no_text_or_not_there_is_named(loaded: Loaded, tmp_path: Path) -> None:
    with pytest.raises(Mistake, match=r"none.toml cannot be read: No such file or directory; name"):
        load(tmp_path / "none.toml", {})
    with pytest.raises(Mistake, match=r"BAROGRAPH_DATA_FILE: /none cannot be read: No such file"):
        loaded(BAROGRAPH_DATA_FILE="/none")
    with pytest.raises(Mistake, match=r"barograph.toml is not TOML: Invalid value \(at end of"):
        loaded("data = ")
    Path("barograph.toml").unlink()
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(Mistake, match="binary is not TOML: 'utf-8' codec can't decode"):
        load(tmp_path / "binary", {})
    with pytest.raises(Mistake, match="binary cannot be read: it is no text; name a readable file"):
        loaded(BAROGRAPH_DATA_FILE=str(tmp_path / "binary"))

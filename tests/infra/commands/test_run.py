"""`barograph run`: a wrong configuration, and a port that is taken, are one sentence."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.cli import main
from tests.infra.service.configured import CONFIG, RULE

STORE = '[[sink]]\nname = "store"\nkind = "jsonl"\npath = "x"\n'
ODD = '[[sink]]\nname = "a"\nkind = "x"\n'

Ran = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ran:
    """Run the command with this configuration; exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    Path("answered.yml").write_text(RULE)

    def run(config: str, *words: str) -> tuple[int, str, str]:
        Path("barograph.toml").write_text(config)
        code = main(["run", *words])
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ("", "the configuration has no [[input]]; add one, for example name = 'logs'"),
        (CONFIG + CONFIG[CONFIG.index("[[input]]") :], "two inputs of the configuration have the"),
        ('[[input]]\nname = "logs"', "input 'logs' follows nothing; give it a `path`"),
        ('[[input]]\nname = "a"\nsource = "x"', "no source is called 'x'; there are agent_bom"),
        (CONFIG + ODD, "sink 'a' has the kind 'x'; name one of alertmanager"),
        (CONFIG + STORE, "two sinks have the same name; rename one (`store` is the built-in one"),
        (CONFIG.replace("answered", "none"), "cannot read none.yml: No such file or directory"),
    ],
)
def test_a_wrong_configuration_is_one_sentence(ran: Ran, config: str, sentence: str) -> None:
    code, out, err = ran(config)
    assert (code, out) == (2, "")
    assert err.startswith(f"barograph: {sentence}")
    assert err.count("\n") == 1


def test_nothing_is_left_of_a_run_that_did_not_begin(ran: Ran) -> None:
    assert ran("")[0] == 2
    assert not Path("barograph-data").exists()


def test_a_folder_that_is_none_is_one_sentence(ran: Ran) -> None:
    code, _, err = ran('data = "answered.yml"\n' + CONFIG)
    assert code == 3
    assert err == (
        "barograph: answered.yml cannot be used as a data folder: File exists;"
        " mend its permissions, or give another\n"
    )


def test_a_port_that_is_taken_is_one_sentence(ran: Ran) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = ran(CONFIG.replace("[server]\nport = 0", f"[server]\nport = {port}"))
        assert code == 3
        assert err == (
            f"barograph: cannot listen on 127.0.0.1:{port}: Address already in use;"
            " set another [server] port\n"
        )
        code, _, err = ran(CONFIG.replace('"http"\nport = 0', f'"http"\nport = {port}'))
        assert code == 3
        assert err.startswith(f"barograph: input 'web' cannot listen on 127.0.0.1:{port}: ")


def test_a_time_that_is_none_is_one_sentence(ran: Ran) -> None:
    code, _, err = ran(CONFIG, "--until", "noon")
    assert code == 2
    assert err.startswith("barograph: argument --until: not an RFC 3339 time: 'noon'; give one")

"""The command line, in processes of its own: what is printed where, and with which exit code."""

import ast
import os
import signal
import subprocess
import sys

import pytest

from infra.cli import command_files, main

# A folder of commands beside ours: one for each way in which a command can end.
COMMANDS = {
    "answers": 'print("data", args.word, args.config); return int(args.word == "no")',
    "mistakes": 'raise Mistake("rules.yml line 3: no field \\x1b[31m; remove it")',
    "misses": 'raise Unavailable("no broker at 127.0.0.1:9; start one")',
    "breaks": "raise ZeroDivisionError",
    "waits": 'print("ready", flush=True); time.sleep(60); return 0',
    "pours_out": "for _ in range(100_000): print('data')\n    return 0",
}
MODULE = '''"""Does 100 % of {name}."""

import time

from schemas.errors import Mistake, Unavailable

EXAMPLE = "barograph {command} yes"


def arguments(parser):
    parser.add_argument("word", nargs="?")
    parser.add_argument("--limit")


def run(args):
    {body}
'''
START = """
import sys
import infra.commands
infra.commands.__path__.append(sys.argv.pop(1))
from infra.cli import main
code = main()
if "--which" in sys.argv:
    print(*sorted(sys.modules), file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def barograph(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the words that start a command line with the folder of COMMANDS beside ours."""
    folder = tmp_path_factory.mktemp("commands")
    for name, body in COMMANDS.items():
        text = MODULE.format(name=name, command=name.replace("_", "-"), body=body)
        (folder / f"{name}.py").write_text(text, "utf-8")
    return [sys.executable, "-c", START, str(folder)]


def run(*words: str) -> tuple[int, str, str]:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_exit_code_is_the_answer(barograph: list[str]) -> None:
    assert run(*barograph, "answers", "yes") == (0, "data yes None\n", "")
    assert run(*barograph, "answers", "no") == (1, "data no None\n", "")


def test_config_stands_before_or_behind_the_command(barograph: list[str]) -> None:
    assert run(*barograph, "--config", "a.toml", "answers", "yes") == (0, "data yes a.toml\n", "")
    assert run(*barograph, "answers", "yes", "--config", "a.toml") == (0, "data yes a.toml\n", "")
    assert run(*barograph, "--config", "a", "answers", "x", "--config", "b") == (
        0,
        "data x b\n",
        "",
    )


def test_a_mistake_is_one_sentence_that_cannot_drive_the_terminal(barograph: list[str]) -> None:
    sentence = "barograph: rules.yml line 3: no field \\x1b[31m; remove it\n"
    assert run(*barograph, "mistakes") == (2, "", sentence)


def test_a_dependency_that_is_away_is_one_sentence(barograph: list[str]) -> None:
    assert run(*barograph, "misses") == (3, "", "barograph: no broker at 127.0.0.1:9; start one\n")


def test_a_defect_of_ours_keeps_its_traceback(barograph: list[str]) -> None:
    code, out, err = run(*barograph, "breaks")
    assert (code, out) == (1, "")
    assert err.startswith("Traceback")
    assert err.endswith("ZeroDivisionError\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "barograph: the following arguments are required: COMMAND; see barograph --help\n"),
        (
            ["answers", "yes", "maybe"],
            "barograph: unrecognized arguments: maybe; see barograph --help\n",
        ),
        (
            ["answers", "--lim", "x"],
            "barograph: unrecognized arguments: --lim; see barograph --help\n",
        ),
        (
            ["answers", "--limit"],
            "barograph: argument --limit: expected one argument; see barograph answers --help\n",
        ),
    ],
)
def test_wrong_usage_is_one_sentence(barograph: list[str], words: list[str], sentence: str) -> None:
    assert run(*barograph, *words) == (2, "", sentence)


def test_an_unknown_command_is_told_the_known_ones(barograph: list[str]) -> None:
    code, out, err = run(*barograph, "answer")
    assert (code, out) == (2, "")
    assert "invalid choice: 'answer'" in err
    assert "pours-out" in err
    assert err.count("\n") == 1


def test_help_lists_the_commands_and_imports_none(barograph: list[str]) -> None:
    code, out, err = run(*barograph, "--help", "--which")
    assert code == 0
    assert "answers" in out
    assert "Does 100 % of pours_out." in out
    imported = err.split()
    assert "infra.cli" in imported
    heavy = {"aiokafka", "duckdb", "faust", "infra.commands.answers", "polars", "pydantic", "rich"}
    assert heavy & set(imported) == set()


def test_the_help_of_a_command_shows_its_example(barograph: list[str]) -> None:
    code, out, err = run(*barograph, "pours-out", "--help")
    assert (code, err) == (0, "")
    assert "Does 100 % of pours_out." in out
    assert "example:\n  barograph pours-out yes\n" in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "barograph 0.1.0\n"


def test_an_interrupt_ends_quietly(barograph: list[str]) -> None:
    with subprocess.Popen(
        [*barograph, "waits"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b""
    assert process.returncode == 130


@pytest.mark.parametrize("words", [["pours-out"], ["answers", "yes"], ["--help"]])
def test_a_reader_of_stdout_that_leaves_is_no_error(barograph: list[str], words: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [*barograph, *words], stdout=writer, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_python_m_infra_is_barograph() -> None:
    assert run(sys.executable, "-m", "infra", "--version") == (0, "barograph 0.1.0\n", "")


def test_each_of_our_commands_says_what_it_does_and_shows_an_example(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for file in command_files():
        command = file.stem.replace("_", "-")
        first_line = file.read_text("utf-8").partition("\n")[0]
        assert main([command, "--help"]) == 0
        out = capsys.readouterr().out
        assert ast.literal_eval(first_line) in " ".join(out.split()), command
        assert f"example:\n  barograph {command}" in out

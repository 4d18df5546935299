"""Holds the layout: the folder is the registry, so names, cases and mirrors must be exact."""

import ast
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PACKAGES = ("correlators", "infra", "schemas", "sinks", "streams")
CODE = {".css", ".html", ".js", ".py", ".sh", ".sql", ".yml"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def files(*folders: str) -> Iterator[Path]:
    """Yield what a clone holds of these folders, relative to the repository."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(ROOT)


def rules(folder: str) -> Iterator[Path]:
    for path in sorted((ROOT / "correlators" / folder).glob("*.yml")):
        if not path.name.endswith(".cases.yml"):
            yield path


def locked() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    pins = (line.split()[0].split("==") for line in lines if line[:1].isalnum())
    return {canonicalize_name(name): version for name, version in pins}


@pytest.mark.parametrize(
    ("folder", "key"),
    [
        ("detections", "name"),
        ("correlations", "name"),
        ("convergences", "id"),
        ("frameworks", "id"),
        ("policies", "id"),
    ],
)
def test_an_id_is_its_file_name(folder: str, key: str) -> None:
    ids = {path.name: yaml.safe_load(path.read_text("utf-8")).get(key) for path in rules(folder)}
    assert ids == {name: name.removesuffix(".yml") for name in ids}


@pytest.mark.parametrize("folder", ["detections", "correlations", "convergences"])
def test_a_rule_has_its_cases_beside_it(folder: str) -> None:
    names = {path.stem for path in rules(folder)}
    cases = (ROOT / "correlators" / folder).glob("*.cases.yml")
    assert {path.name.removesuffix(".cases.yml") for path in cases} == names


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {
        str(path): len((ROOT / path).read_text("utf-8").splitlines())
        for path in files(*PACKAGES, "tests", "benchmarks")
        if path.suffix in CODE
    }
    assert {path: lines for path, lines in lengths.items() if lines > 400} == {}


def test_a_file_is_named_by_what_it_holds() -> None:
    hollow = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}
    names = {path: {*path.parts[:-1], path.stem} for path in files(*PACKAGES, "tests")}
    assert [str(path) for path, parts in names.items() if parts & hollow] == []


def test_the_first_line_of_a_module_says_its_role() -> None:
    silent = []
    for path in files(*PACKAGES):
        if path.suffix == ".py":
            docstring = ast.get_docstring(ast.parse((ROOT / path).read_text("utf-8"))) or ""
            role, _, rest = docstring.partition("\n")
            if not role.endswith(".") or rest[:1] not in {"", "\n"}:
                silent.append(str(path))
    assert silent == []


def test_a_package_folder_is_a_package() -> None:
    folders = {path.parent for path in files(*PACKAGES) if path.suffix == ".py"}
    assert [str(f) for f in sorted(folders) if not (ROOT / f / "__init__.py").is_file()] == []


@pytest.mark.parametrize("folder", ["sinks", "streams/sources"])
def test_each_module_of_these_folders_has_its_test(folder: str) -> None:
    modules = {path.stem for path in (ROOT / folder).glob("[!_]*.py")}
    tests = {path.stem for path in (ROOT / "tests" / folder).glob("test_*.py")}
    assert {f"test_{module}" for module in modules} - tests == set()


def test_nobody_else_provides_our_import_names() -> None:
    assert distribution("barograph").metadata.get_all("Import-Name") == list(PACKAGES)
    owners = packages_distributions()
    assert {name: set(owners.get(name, ())) - {"barograph"} for name in PACKAGES} == {
        name: set() for name in PACKAGES
    }


def test_the_lock_meets_what_the_project_asks_for() -> None:
    pins = locked()
    asked = PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]
    unmet = []
    for requirement in map(Requirement, asked):
        pin = pins.get(canonicalize_name(requirement.name))
        if pin is None or pin not in requirement.specifier:
            unmet.append(str(requirement))
    assert unmet == []


def test_the_lock_names_no_index_and_keeps_urllib3_as_it_is() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in lock
    assert not [line for line in lock.splitlines() if line.startswith("-")]
    assert {"grafana-client", "niquests", "urllib3-future"} & set(locked()) == set()


def test_the_wheel_holds_the_packages_whole_and_nothing_else(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = {Path(name) for name in zipfile.ZipFile(wheel).namelist()}
    assert {n for n in names if n.parts[0] != "barograph-0.1.0.dist-info"} == set(files(*PACKAGES))

"""What tests of the boards need: grafana-client apart from our environment, Grafana's schema.

Made by `python -m infra.dev.grafana`; tests themselves use no network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import requires
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

from schemas.errors import Unavailable

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = Path(sys.prefix) / "grafana"
SCHEMA: Final = FOLDER / "schema"  # with node_modules in it
_DONE: Final = FOLDER / "installed"
_TYPES: Final = ("@grafana/schema@13.2.3", "typescript@7.0.2")


def python() -> Path:
    """Its interpreter, with all of our environment and Grafana's client.

    Raises Unavailable where it was not made.
    """
    if not _DONE.is_file():
        raise Unavailable(
            "the environment of grafana-client is not here: python -m infra.dev.grafana makes it"
        )
    return FOLDER / "bin" / "python"


def make() -> Path:
    """Make it, once: the client with its start-up hook off, and a path to our environment."""
    if _DONE.is_file():
        return python()
    venv.create(FOLDER, with_pip=True, clear=True)
    words = ("-m", "pip", "--quiet", "--disable-pip-version-check", "install")
    subprocess.run(  # noqa: S603 - words of ours
        (FOLDER / "bin" / "python", *words, "--no-binary", "urllib3-future", *_asked()),
        env=os.environ | {"URLLIB3_NO_OVERRIDE": "1"},
        check=True,
    )
    (place,) = FOLDER.glob("lib/python*/site-packages")
    ours = f"{ROOT}\n{sysconfig.get_path('purelib')}\n"
    (place / "beside.pth").write_text(ours, encoding="utf-8")
    _DONE.write_text("", encoding="utf-8")
    return python()


def make_schema() -> Path | None:
    """The types that Grafana's dashboards are written in; None where there is no npm."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    if not (SCHEMA / "node_modules" / "@grafana" / "schema").is_dir():
        SCHEMA.mkdir(parents=True, exist_ok=True)
        (SCHEMA / "package.json").write_text("{}", encoding="utf-8")
        words = ("install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent")
        subprocess.run((npm, *words, *_TYPES), cwd=SCHEMA, check=True)  # noqa: S603 - words of ours
    return SCHEMA


def _asked() -> list[str]:
    found = map(Requirement, requires("barograph") or ())
    return [
        f"{one.name}{one.specifier}"
        for one in found
        if one.marker is not None and one.marker.evaluate({"extra": "grafana"})
    ]


if __name__ == "__main__":
    print(make())
    print(make_schema() or "without npm the boards are not checked against Grafana's schema")

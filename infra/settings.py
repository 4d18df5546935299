"""Settings: the one TOML file and the BAROGRAPH_* environment become a Config."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from schemas.config import Config
from schemas.errors import Mistake

DEFAULT = "barograph.toml"
_PREFIX = "BAROGRAPH_"
_OURS = {"SHARED"}  # names with the prefix that are no settings: where tests find shared samples


def load(path: str | None, environment: Mapping[str, str] = os.environ) -> Config:
    """The file at `path`, else barograph.toml here, else defaults; the environment wins. Mistake names file and field.

    `BAROGRAPH_SERVER__PORT=9000` sets `server.port`; `BAROGRAPH_X_FILE=/run/secrets/x` reads the value of X from a file.
    """
    place = Path(path or DEFAULT)
    values: dict[str, Any] = {}
    if path is not None or place.exists():
        try:
            values = tomllib.loads(place.read_text(encoding="utf-8"))
        except OSError as error:
            raise Mistake(
                f"{place} cannot be read: {error.strerror}; name another file with --config"
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise Mistake(f"{place} is not TOML: {error}") from error
    for name, value in sorted(environment.items()):
        if name.startswith(_PREFIX) and name.removeprefix(_PREFIX) not in _OURS:
            _set(values, name, value)
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise Mistake(f"{place}: {field}: {first['msg']}") from error


def _set(values: dict[str, Any], name: str, value: str) -> None:
    keys = name.removeprefix(_PREFIX).lower()
    if keys.endswith("_file"):
        keys = keys.removesuffix("_file")
        try:
            value = Path(value).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Mistake(f"{name}: {value} cannot be read: {error.strerror}") from error
    *nest, last = keys.split("__")
    for key in nest:
        values = values.setdefault(key, {})
    values[last] = value

"""Settings: the one TOML file and the BAROGRAPH_* environment become a Config."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from correlators.sigma.values import is_list, is_object
from schemas.config import Config
from schemas.errors import Mistake

DEFAULT: Final = "barograph.toml"
Way = tuple[str | int, ...]
_PREFIX: Final = "BAROGRAPH_"
# With the prefix, and no settings: what tests and `make kafka` read, and what Kubernetes tells
# every pod of a service called barograph.
_OTHERS: Final = re.compile(
    r"SHARED|TRIALS|DEMO_RUNS|KILLS|CHAOS|CHAOS_SEED|KAFKA_HOME"
    r"|SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP)(_\w+)?"
)


def load(path: str | Path | None, environment: Mapping[str, str] = os.environ) -> Config:
    """The file at `path`, else barograph.toml here, else defaults; the environment wins.

    `BAROGRAPH_SERVER__PORT=9000` sets `server.port`, `BAROGRAPH_SINK__0__SECRET` that of the first
    `[[sink]]`; `BAROGRAPH_X_FILE=/run/secrets/x` reads the value of X from a file. A Mistake names
    the file or variable, and the field.
    """
    place = Path(path or DEFAULT)
    values = _file(place) if path is not None or place.exists() else {}
    stated: dict[Way, str] = {}
    for name, value in sorted(environment.items()):
        setting = name.removeprefix(_PREFIX)
        if name.startswith(_PREFIX) and not _OTHERS.fullmatch(setting):
            keys, read = _setting(name, setting.lower(), value)
            stated[_set(values, name, keys, read)] = name
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = first["loc"]
        told = (n for way, n in stated.items() if way[: len(field)] == field[: len(way)])
        where = next(told, place)
        what = "there is no such setting" if first["type"] == "extra_forbidden" else first["msg"]
        said = ".".join(str(part) for part in field)
        raise Mistake(f"{where}: {said}: {what}; mend or remove it") from None


def _file(place: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(place.read_text(encoding="utf-8"))
    except OSError as error:
        raise Mistake(
            f"{place} cannot be read: {error.strerror}; name another file with --config"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Mistake(f"{place} is not TOML: {error}; mend it there") from error


def _setting(name: str, setting: str, value: str) -> tuple[list[str], str]:
    """The keys and the value that a variable states."""
    if not setting.endswith("_file"):
        return setting.split("__"), value
    try:
        value = Path(value).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Mistake(f"{name}: {value} cannot be read: {reason}; name a readable file") from error
    return setting.removesuffix("_file").split("__"), value


def _set(values: dict[str, Any], name: str, keys: list[str], value: str) -> Way:
    """Put the value where the keys lead; returns the way there as pydantic names it."""
    inside: Any = values
    way: list[str | int] = []
    for key in keys[:-1]:
        way.append(_step(inside, key, name))
        inside = inside.setdefault(key, {}) if is_object(inside) else inside[way[-1]]
    way.append(_step(inside, keys[-1], name))
    inside[way[-1]] = value
    return tuple(way)


def _step(inside: object, key: str, name: str) -> str | int:
    """The key or index into a table or a list of tables; a Mistake if `inside` is neither."""
    if is_object(inside):
        return key
    if is_list(inside) and key.isdecimal() and int(key) < len(inside):
        return int(key)
    raise Mistake(f"{name}: there is nothing to set at {key}; entries are numbered from 0")

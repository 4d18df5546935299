"""Place file: how far a sink on this machine has taken the topics, and its bookmark."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from schemas.errors import Mistake, Unavailable


class _Saved(msgspec.Struct):
    places: dict[str, int]
    bookmark: Any = None


class PlaceFile:
    """Replaced as a whole: a kill leaves the old content or the new one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def read(self) -> tuple[dict[str, int], Any]:
        """Offsets by `topic/partition`, and the bookmark; nothing and None if there is no file."""
        try:
            saved = msgspec.json.decode(self._path.read_bytes(), type=_Saved)
        except FileNotFoundError:
            return {}, None
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Mistake(
                f"{self._path} cannot be read ({error}); move it away, and the sink begins with the"
                " oldest record"
            ) from error
        return saved.places, saved.bookmark

    def write(self, places: Mapping[str, int], bookmark: Any) -> None:  # noqa: ANN401 - JSON
        """On disk before it returns. Unavailable if the disk refuses."""
        draft = self._path.with_name(self._path.name + ".draft")
        try:
            with draft.open("wb") as file:
                file.write(msgspec.json.encode(_Saved(dict(places), bookmark)))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise Unavailable(
                f"cannot write {self._path}: {error.strerror}; make room on the disk or check its"
                " permissions"
            ) from error

"""Head: what detections and correlations say of themselves, and how a mistake in it is told."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from correlators.document import Part, Problem, follow
from correlators.sigma.wording import meant
from schemas.detection import PostureFact
from schemas.event import Level
from schemas.habit import Habit

CONFIDENCE: Final[Mapping[str, float]] = {"stable": 0.9, "test": 0.7, "experimental": 0.5}
UNPROVEN: Final = 0.6  # no status, deprecated, unsupported


_KEYS: Final = (  # of sections that are read to the last key
    *("aliases", "condition", "confidence", "eq", "fact", "family", "field", "generate"),
    *("group-by", "gt", "gte", "habit", "lt", "lte", "neq", "percentile", "rules"),
    *("timespan", "type"),
)


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


Lower = BeforeValidator(_lower)


class Ours(BaseModel):
    """What a rule may say to us alone, under `barograph:`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    confidence: float | None = Field(default=None, ge=0, le=1)
    family: str | None = Field(default=None, min_length=1)
    fact: PostureFact | None = None
    habit: Habit | None = None

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        if self.fact and self.habit:
            raise ValueError("a match of a habit is only observed, so it cannot open a `fact`")
        return self


class Head(BaseModel):
    """The keys of Sigma that we read; a rule may have others."""

    model_config = ConfigDict(frozen=True)

    title: str = Field(min_length=1, max_length=256)
    id: UUID | None = None
    name: str | None = Field(default=None, min_length=1)
    status: Annotated[str | None, Lower] = Field(
        default=None, pattern="^(unsupported|deprecated|experimental|test|stable)$"
    )
    level: Annotated[Level, Lower] = "medium"
    author: str | None = None
    tags: tuple[str, ...] | None = None
    fields: tuple[str, ...] | None = None
    barograph: Ours = Ours()

    @property
    def confidence(self) -> float:
        """How far a match is to be believed: as the rule says, else by its status."""
        stated = self.barograph.confidence
        return CONFIDENCE.get(self.status or "", UNPROVEN) if stated is None else stated

    def identity(self, part: Part) -> str:
        """The rule's id, else its name, else the name of its file."""
        return str(self.id or self.name or part.stem)


def invalid(part: Part, error: ValidationError) -> Iterator[Problem]:
    """One Problem for each place in the document that does not fit."""
    told: dict[tuple[str | int, ...], list[str]] = {}
    for fault in error.errors(include_url=False, include_context=False):
        # Without the alternatives of a type, which pydantic puts behind the keys.
        place = tuple(key for key, _ in follow(part.data, _untagged(fault["loc"])))
        strange = fault["type"] == "extra_forbidden" and place
        said = _strange(str(place[-1])) if strange else _sentence(fault["msg"])
        told.setdefault(place, []).append(said)
    for place, messages in told.items():
        keys = ".".join(str(key) for key in place)
        message = "; or ".join(dict.fromkeys(messages))
        yield part.problem(f"`{keys}`: {message}" if keys else message, *place)


def _untagged(place: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Without the type of a habit, which pydantic puts behind its key."""
    return (*place[:2], *place[3:]) if place[:2] == ("barograph", "habit") else place


def _strange(key: str) -> str:
    return "there is no such key here" + meant(key, _KEYS)


def _sentence(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]

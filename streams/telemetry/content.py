"""Content: what is in prompts, answers and tool calls that nobody keeps, told without keeping it.

Only kinds are told, and, with a key, fingerprints by which equal secrets and equal prompts are
known again: HMAC-SHA256, cut to 16 hex digits. Patterns are bounded, and look only where a plain
search found something; each begins with a character, not with what stands before it, so that it is
searched for quickly.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from typing import Final, NamedTuple

import orjson

from correlators.cues import hidden
from streams.records.untrusted import listing, mapping
from streams.source import Json

_READ: Final = 262_144  # characters of one text
_MOST: Final = 10_000  # texts inside one value
_FOUND: Final = 64  # values of one kind in one record
_MARKS: Final = 256  # fingerprints of one record
_DIGITS: Final = 16

# What `hidden` may find, without where it must stand: many times faster.
_MAYBE: Final = re.compile(
    "[\x1b\x9b\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0001-\U000e01ef]"
)

# Where a text stands, by the name that it has; the longest beginning counts.
_WHERE: Final = {
    "ai.prompt": "prompt",
    "ai.response": "output",
    "gen_ai.completion": "output",
    "gen_ai.input.messages": "prompt",
    "gen_ai.output.messages": "output",
    "gen_ai.prompt": "prompt",
    "gen_ai.retrieval.documents": "retrieved",
    "gen_ai.system_instructions": "prompt",
    "gen_ai.tool.call.arguments": "tool_arguments",
    "gen_ai.tool.call.result": "tool_result",
    "gen_ai.tool.definitions": "tool_definitions",
    "input": "prompt",
    "llm.input_messages": "prompt",
    "llm.output_messages": "output",
    "output": "output",
    "prompt": "prompt",
}
OTHER: Final = "other"


class Kind(NamedTuple):
    """A kind of value: the texts one of which must be there, how it looks, and what it must pass.

    Without texts it is always looked for. `begins` is how the part before it must end.
    """

    needs: tuple[str, ...]
    looks: re.Pattern[str]
    passes: Callable[[str], bool] | None = None
    begins: re.Pattern[str] | None = None


def _luhn(value: str) -> bool:
    digits = [int(one) for one in value if one.isdigit()]
    doubled = (sum(divmod(2 * one, 10)) for one in digits[-2::-2])
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _iban(value: str) -> bool:
    """ISO 13616: the check digits, over the letters as numbers."""
    plain = value.replace(" ", "")
    turned = "".join(str(int(one, 36)) for one in plain[4:] + plain[:4])
    return 15 <= len(plain) <= 34 and int(turned) % 97 == 1


SECRETS: Final = {
    "anthropic_key": Kind(("sk-ant-",), re.compile(r"\bsk-ant-[\w-]{20,200}")),
    "aws_access_key": Kind(("AKIA", "ASIA"), re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    "azure_storage_key": Kind(("AccountKey=",), re.compile(r"\bAccountKey=[A-Za-z0-9+/]{86}==")),
    "github_token": Kind(
        ("ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_"),
        re.compile(r"\b(?:gh[opsur]_[A-Za-z0-9]{36,251}|github_pat_\w{22,244})"),
    ),
    "gitlab_token": Kind(("glpat-",), re.compile(r"\bglpat-[\w-]{20,64}")),
    "google_api_key": Kind(("AIza",), re.compile(r"\bAIza[\w-]{35}")),
    "huggingface_token": Kind(("hf_",), re.compile(r"\bhf_[A-Za-z0-9]{30,64}\b")),
    "jwt": Kind((".eyJ",), re.compile(r"\beyJ[\w-]{8,1024}\.eyJ[\w-]{8,4096}\.[\w-]{16,1024}")),
    "npm_token": Kind(("npm_",), re.compile(r"\bnpm_[A-Za-z0-9]{36}\b")),
    "openai_key": Kind(
        ("sk-",),
        re.compile(r"\bsk-(?!ant-)(?:proj-|svcacct-|admin-)?[A-Za-z0-9_]{20,200}"),
    ),
    "password_in_url": Kind(("://",), re.compile(r"://[^\s/:@]{1,64}:[^\s/:@]{1,128}@")),
    "private_key": Kind(
        ("PRIVATE KEY",), re.compile(r"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----")
    ),
    "pypi_token": Kind(("pypi-AgE",), re.compile(r"\bpypi-AgE[\w-]{50,250}")),
    "slack_token": Kind(("xox",), re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,250}")),
    "stripe_key": Kind(("k_live_",), re.compile(r"\b[rs]k_live_[A-Za-z0-9]{20,128}")),
}
PII: Final = {
    "credit_card": Kind(
        (), re.compile(r"[3-6](?<![\w.+-].)\d{3}(?:[ -]?\d{2,6}){2,4}(?![\w-])"), _luhn
    ),
    "email": Kind(
        ("@",),
        re.compile(r"@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"),
        begins=re.compile(r"[A-Za-z0-9_.+-]{1,64}\Z"),
    ),
    "iban": Kind(
        (), re.compile(r"[A-Z](?<!\w.)[A-Z]\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"), _iban
    ),
    "phone_e164": Kind(("+",), re.compile(r"\+(?<![\w+].)[1-9]\d{7,14}(?!\w)")),
    "us_ssn": Kind(
        ("-",),
        re.compile(r"[0-8](?<![\w-].)\d\d(?<!000|666)-(?!00)\d\d-(?!0000)\d{4}(?![\w-])"),
    ),
}


def told(private: Mapping[str, Json], key: bytes | None = None) -> dict[str, Json]:
    """`content.*` attributes of a record, empty where nothing is in it.

    `content.hidden` is true where characters are that nobody sees; `content.secrets` and
    `content.pii` are sorted kinds; each has the sorted places beside it, in `<name>.where`: prompt,
    output, tool_arguments, tool_result, tool_definitions, retrieved, other. With a key,
    `content.fingerprints` are sorted `<kind>:<fingerprint>`, and `content.prompt` is that of the
    last prompt of a user, whatever its case and its spaces.
    """
    seen: dict[str, set[str]] = {}
    where: dict[str, set[str]] = {}
    marks: set[str] = set()
    for name, value in private.items():
        text = "\n".join(islice(_texts(value), _MOST))[:_READ]
        for sort, kind, values in _inside(text):
            seen.setdefault(sort, set()).add(kind)
            where.setdefault(sort, set()).add(_place(name))
            if key is not None:
                marks.update(f"{kind}:{fingerprint(key, one)}" for one in values)
    found: dict[str, Json] = {}
    for sort, places in sorted(where.items()):
        found[f"content.{sort}"] = True if sort == "hidden" else sorted(seen[sort])
        found[f"content.{sort}.where"] = sorted(places)
    if marks:
        found["content.fingerprints"] = sorted(marks)[:_MARKS]
    prompt = last_prompt(private.get("gen_ai.input.messages")) if key is not None else None
    if key is not None and prompt:
        found["content.prompt"] = fingerprint(key, " ".join(prompt.casefold().split()))
    return found


def fingerprint(key: bytes, value: str) -> str:
    """The first hex digits of the HMAC-SHA256 of a value."""
    said = value.encode(errors="surrogatepass")
    return hmac.new(key, said, sha256).hexdigest()[:_DIGITS]


def last_prompt(value: Json) -> str | None:
    """What a user said last: of messages the last with the role `user`, else the text itself."""
    shown = _decoded(value)
    if isinstance(shown, str):
        return shown
    for one in reversed(listing(shown) or [shown]):
        if isinstance(one, str):
            return one
        message = mapping(one)
        if message.get("role", "user") == "user":
            inner = message.get("parts") or message.get("content") or message.get("text")
            said = "\n".join(islice(_texts(inner, _SAID), _MOST)) if inner else None
            if said:
                return said
    return None


_SAID: Final = frozenset({"content", "text", "value"})


def _inside(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """(secrets, pii or hidden; the kind; its values) of what is in a text."""
    if _unseen(text):
        yield "hidden", "hidden", []
    for sort, kinds in (("secrets", SECRETS), ("pii", PII)):
        for name, kind in kinds.items():
            if kind.needs and not any(need in text for need in kind.needs):
                continue
            found = (_whole(text, one, kind) for one in islice(kind.looks.finditer(text), _FOUND))
            values = [one for one in found if one and (kind.passes is None or kind.passes(one))]
            if values:
                yield sort, name, values


def _whole(text: str, found: re.Match[str], kind: Kind) -> str | None:
    if kind.begins is None:
        return found[0]
    before = kind.begins.search(text[max(0, found.start() - 64) : found.start()])
    return before[0] + found[0] if before else None


def _unseen(text: str) -> bool:
    """Nearly all texts are plain ASCII, which hides only terminal escapes."""
    if text.isascii():
        return "\x1b" in text
    return _MAYBE.search(text) is not None and hidden(text)


def _place(name: str) -> str:
    at = len(name)
    while at > 0:
        if name[:at] in _WHERE:
            return _WHERE[name[:at]]
        at = name.rfind(".", 0, at)
    return OTHER


def _texts(value: Json, names: frozenset[str] | None = None) -> Iterator[str]:
    """The texts inside a value, level by level; of objects only what has one of these names."""
    level: Sequence[Json] = [_decoded(value)]
    while level:
        below: list[Json] = []
        for one in level:
            if isinstance(one, str):
                yield one
            elif isinstance(one, int) and not isinstance(one, bool):
                yield str(one)
            below += listing(one)
            below += [x for key, x in mapping(one).items() if names is None or key in names]
        level = below[:_MOST]


def _decoded(value: Json) -> Json:
    """A value, or what it is as a JSON text: there, control characters are escaped."""
    if not isinstance(value, str):
        return value
    if value.lstrip()[:1] not in {"{", "["}:
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value

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
    "\u3164\U000e0001-\U000e01ef]"
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
# A credential that a scanner found, by itself: of private content the one that is known to be one.
LEAKED: Final = "secret.value"


class Kind(NamedTuple):
    """A kind of value: the texts one of which must be there, how it looks, and what it must pass.

    Without texts it is always looked for. `begins` is how the part before it must end, `never` how
    it must not.
    """

    needs: tuple[str, ...]
    looks: re.Pattern[str]
    passes: Callable[[str], bool] | None = None
    begins: re.Pattern[str] | None = None
    never: re.Pattern[str] | None = None


# What stands in documentation for a credential.
_PLACEHOLDER: Final = re.compile(
    r"(?i)your|xxxxxx|replace|placeholder|change_?me|[_-]here|7EXAMPLE$"
    r"|^://(?:[<{$%]|user(?:name)?:pass)"
)
_NO_PASSWORD: Final = re.compile(
    r"(?i):(?:pass(?:word|wd)?|pwd|secret|token|changeme|\*+|[<{$%\[].*)@$"
)
# Of payment cards: how the issuers number them, and how they are printed.
_ISSUED: Final = re.compile(
    r"4\d{15}(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|6(?:011|5\d\d|4[4-9]\d)\d{12,15}"
    r"|35(?:2[89]|[3-8]\d)\d{12}"
)
_PRINTED: Final = re.compile(
    r"\d{14,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|\d{4}([ -])\d{6}\2\d{4,5}"
)


def _real(value: str) -> bool:
    return _PLACEHOLDER.search(value) is None


def _password(value: str) -> bool:
    return _real(value) and _NO_PASSWORD.search(value) is None


def _openai(value: str) -> bool:
    """A key is random; a name of many words with that beginning has no digit."""
    return _real(value) and any(one.isdigit() for one in value)


def _card(value: str) -> bool:
    """ISO/IEC 7812: an issuer's range and length, and the check digit."""
    plain = re.sub(r"\D", "", value)
    if not _PRINTED.fullmatch(value) or not _ISSUED.fullmatch(plain) or "0" * 8 in plain:
        return False
    digits = [int(one) for one in plain]
    doubled = (sum(divmod(2 * one, 10)) for one in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _iban(value: str) -> bool:
    """ISO 13616: the check digits, over the letters as numbers."""
    plain = value.replace(" ", "")
    turned = "".join(str(int(one, 36)) for one in plain[4:] + plain[:4])
    return 15 <= len(plain) <= 34 and int(turned) % 97 == 1


def _address(value: str) -> bool:
    return not value.startswith("git@")  # whoever clones


def _phone(value: str) -> bool:
    """E.164; North American numbers have ten digits behind the 1, the first no 0 or 1."""
    digits = re.sub(r"\D", "", value)
    if digits[0] == "1":
        return len(digits) == 11 and digits[1] not in "01" and digits[4] not in "01"
    return 9 <= len(digits) <= 15


def _key(needs: str, looks: str) -> Kind:
    return Kind((needs,), re.compile(looks), _real)


SECRETS: Final = {
    "anthropic_key": _key("sk-ant-", r"\bsk-ant-[\w-]{20,200}"),
    "aws_access_key": Kind(("AKIA", "ASIA"), re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), _real),
    "aws_secret_key": Kind(
        ("SECRET_ACCESS_KEY", "secret_access_key", "SecretAccessKey", "secretAccessKey"),
        re.compile(
            r"(?:SECRET_ACCESS_KEY|secret_access_key|[Ss]ecretAccessKey)\W{1,8}"
            r"[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
        ),
        _real,
    ),
    "azure_storage_key": _key("AccountKey=", r"\bAccountKey=[A-Za-z0-9+/]{86}=="),
    "databricks_token": _key("dapi", r"\bdapi[0-9a-f]{32}(?:-\d)?\b"),
    "github_token": Kind(
        ("ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_"),
        re.compile(r"\b(?:gh[opsur]_[A-Za-z0-9]{36,251}|github_pat_\w{22,244})"),
        _real,
    ),
    "gitlab_token": _key("glpat-", r"\bglpat-[\w-]{20,64}"),
    "google_api_key": _key("AIza", r"\bAIza[\w-]{35}"),
    "google_oauth_secret": _key("GOCSPX-", r"\bGOCSPX-[\w-]{28}"),
    "groq_key": _key("gsk_", r"\bgsk_[A-Za-z0-9]{52}\b"),
    "huggingface_token": _key("hf_", r"\bhf_[A-Za-z0-9]{30,64}\b"),
    "jwt": Kind((".eyJ",), re.compile(r"\beyJ[\w-]{8,1024}\.eyJ[\w-]{8,4096}\.[\w-]{16,1024}")),
    "langsmith_key": _key("lsv2_", r"\blsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}\b"),
    "npm_token": _key("npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
    "openai_key": Kind(
        ("sk-",),
        re.compile(
            r"\bsk-(?:(?:proj|svcacct|admin|None)-[\w-]{20,200}|(?!ant-|or-)[A-Za-z0-9_]{20,200})"
        ),
        _openai,
    ),
    "openrouter_key": _key("sk-or-v1-", r"\bsk-or-v1-[0-9a-f]{64}\b"),
    "password_in_url": Kind(
        ("://",), re.compile(r"""://[^\s/:@"'`]{0,64}:[^\s/:@"'`]{1,128}@"""), _password
    ),
    "perplexity_key": _key("pplx-", r"\bpplx-[A-Za-z0-9]{48,64}\b"),
    "pinecone_key": _key("pcsk_", r"\bpcsk_[A-Za-z0-9]{5,6}_[A-Za-z0-9]{50,70}\b"),
    "private_key": Kind(
        ("PRIVATE KEY",), re.compile(r"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----")
    ),
    "pypi_token": _key("pypi-AgE", r"\bpypi-AgE[\w-]{50,250}"),
    "replicate_token": _key("r8_", r"\br8_[A-Za-z0-9]{37}\b"),
    "sendgrid_key": _key("SG.", r"\bSG\.[\w-]{22}\.[\w-]{43}"),
    "slack_token": Kind(
        ("xox", "xapp-"),
        re.compile(r"\b(?:xox[abeoprs]-[A-Za-z0-9-]{10,250}|xapp-\d-[A-Za-z0-9-]{20,250})"),
        _real,
    ),
    "slack_webhook": _key(
        "hooks.slack.com/services/", r"hooks\.slack\.com/services/T\w{6,16}/B\w{6,16}/\w{16,32}"
    ),
    "stripe_key": _key("k_live_", r"\b[rs]k_live_[A-Za-z0-9]{20,128}"),
    "vault_token": _key("hvs.", r"\bhvs\.[\w-]{24,250}"),
    "xai_key": _key("xai-", r"\bxai-[A-Za-z0-9]{70,90}\b"),
}
PII: Final = {
    "credit_card": Kind(
        (),
        re.compile(r"[2-6](?<![\w.+-].)\d{3}(?:[ -]?\d{2,6}){2,4}(?![\w-]|\.\d)"),
        _card,
    ),
    "email": Kind(
        ("@",),
        re.compile(
            r"@(?=[A-Za-z0-9])[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,7}"
            r"\.[A-Za-z]{2,24}\b(?!-)"
        ),
        _address,
        re.compile(r"[\w.+-]{1,64}\Z"),
        re.compile(r"://[^\s/]{0,64}\Z"),  # a password, and the host that it is for
    ),
    "iban": Kind(
        (), re.compile(r"[A-Z](?<!\w.)[A-Z]\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"), _iban
    ),
    "phone_e164": Kind(
        ("+",),
        re.compile(
            r"\+(?<![\w+].)[1-9]\d{0,14}(?:[ .-]{1,2}(?:\d{1,8}|\(\d{1,5}\))){0,6}(?![\w-])"
        ),
        _phone,
    ),
    "us_ssn": Kind(
        ("-",),
        re.compile(r"[0-8](?<![\w-].)\d\d(?<!000|666)-(?!00)\d\d-(?!0000)\d{4}(?![\w-])"),
    ),
}


_KINDS: Final = tuple(
    (sort, name, kind)
    for sort, kinds in (("secrets", SECRETS), ("pii", PII))
    for name, kind in kinds.items()
)


def told(private: Mapping[str, Json], key: bytes | None = None) -> dict[str, Json]:
    """`content.*` attributes of a record, empty where nothing is in it.

    `content.hidden` is true where characters are that nobody sees; `content.secrets` and
    `content.pii` are sorted kinds. Beside each are the sorted places in `<name>.where` (prompt,
    output, tool_arguments, tool_result, tool_definitions, retrieved, other), and beside the kinds
    in `<name>.at` which is where: `<place>:<kind>`. With a key, `content.fingerprints` are sorted
    `<kind>:<fingerprint>`, and `content.prompt` is that of the last prompt of a user, whatever its
    case and its spaces. Of a credential that a scanner found `secret.fingerprint` is all that is
    told, and with a key only: elsewhere it has the same one.
    """
    seen: dict[str, set[str]] = {}
    where: dict[str, set[str]] = {}
    at: dict[str, set[str]] = {}
    marks: set[str] = set()
    for name, value in private.items():
        if name == LEAKED:
            continue
        text = _text(value)
        for sort, kind, values in _inside(text):
            seen.setdefault(sort, set()).add(kind)
            where.setdefault(sort, set()).add(_place(name))
            at.setdefault(sort, set()).add(f"{_place(name)}:{kind}")
            if key is not None:
                marks.update(f"{kind}:{fingerprint(key, one)}" for one in values)
    found: dict[str, Json] = {}
    for sort, places in sorted(where.items()):
        found[f"content.{sort}"] = True if sort == "hidden" else sorted(seen[sort])
        found[f"content.{sort}.where"] = sorted(places)
        if sort != "hidden":
            found[f"content.{sort}.at"] = sorted(at[sort])
    if marks:
        found["content.fingerprints"] = sorted(marks)[:_MARKS]
    leaked = private.get(LEAKED)
    if key is not None and isinstance(leaked, str):
        found["secret.fingerprint"] = fingerprint(key, leaked)
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
    for sort, name, kind in _KINDS:
        for need in kind.needs:  # nearly all of the time goes into this: no call inside
            if need in text:
                break
        else:
            if kind.needs:
                continue
        found = (_whole(text, one, kind) for one in islice(kind.looks.finditer(text), _FOUND))
        values = [one for one in found if one and (kind.passes is None or kind.passes(one))]
        if values:
            yield sort, name, values


def _whole(text: str, found: re.Match[str], kind: Kind) -> str | None:
    if kind.begins is None:
        return found[0]
    said = text[max(0, found.start() - 64) : found.start()]
    before = kind.begins.search(said)
    if before is None or (kind.never is not None and kind.never.search(said)):
        return None
    return before[0] + found[0]


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


def _text(value: Json) -> str:
    """The texts inside a value, as many and as long as are looked at."""
    shown = _decoded(value)
    return (shown if isinstance(shown, str) else "\n".join(islice(_texts(shown), _MOST)))[:_READ]


def _texts(value: Json, names: frozenset[str] | None = None) -> Iterator[str]:
    """The texts inside a value, level by level; of objects only what has one of these names."""
    level: Sequence[Json] = [_decoded(value)]
    while level:
        below: list[Json] = []
        for one in level:
            if isinstance(one, str):
                yield one
            elif isinstance(one, dict):
                inside = mapping(one)
                below += (
                    inside.values()
                    if names is None
                    else [x for key, x in inside.items() if key in names]
                )
            elif isinstance(one, list):
                below += listing(one)
            elif isinstance(one, int) and not isinstance(one, bool):
                yield str(one)
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

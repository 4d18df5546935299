"""Values: what a habit knows of a field, bounded and comparable."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

from correlators.correlate import comparable
from schemas.canonical import digest
from schemas.habit import bare

LONGEST: Final = 200  # characters of a value; of longer ones a hash is remembered

# Most browsers call themselves by the names of all others: the first of these is what they are.
_BROWSERS: Final = ("edg", "opr", "firefox", "chrome", "safari")
_PRODUCT: Final = re.compile(r"[^\s/;,()\[\]]+")


def known(fields: Mapping[str, Any], names: Sequence[str]) -> list[str] | None:
    """The values of fields by their names with modifiers; None if one is missing.

    They compare as the groups of correlations do; a list or an object is no value.
    """
    found: list[str] = []
    for name in names:
        text = comparable(fields.get(bare(name)))
        modifier = name.partition("|")[2]
        if text is not None and modifier:
            text = _MODIFIERS[modifier](text)
        if text is None:
            return None
        found.append(text if len(text) <= LONGEST else digest(text))
    return found


@lru_cache(maxsize=8_192)  # the same clients come again and again
def network(address: str) -> str:
    """The /24 of an IPv4 address, the /48 of an IPv6 one; what is no address is itself.

    `203.0.113.7` is in `203.0.113.0/24`; AWS writes `bedrock.amazonaws.com` where it calls itself.
    """
    try:
        found = ip_address(address.strip("[]"))
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    # By its number: the text of an IPv6 address may have a scope (`fe80::1%eth0`).
    if isinstance(found, IPv6Address):
        return str(IPv6Network((int(found), 48), strict=False))
    return str(IPv4Network((int(found), 24), strict=False))


@lru_cache(maxsize=8_192)
def product(agent: str) -> str | None:
    """The software of a user agent without its version, None where it names nothing.

    `Boto3/1.34.2 md/Botocore#1.34` is `boto3`; a browser is `chrome`, `firefox` and so on.
    """
    words: list[str] = [word.lower() for word in _PRODUCT.findall(agent)]
    if not words:
        return None
    if words[0] == "mozilla":
        return next((name for name in _BROWSERS if name in words), words[0])
    return words[0]


_MODIFIERS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "network": network,
    "product": product,
}

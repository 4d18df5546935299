"""AWS, its people: users, roles, whom they trust, and keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import orjson

from schemas.entity import Entity
from schemas.event import Edge
from streams.described.answers import PEOPLE, Thing, no, tagged
from streams.described.aws_ai import account_of
from streams.lineage.calls import at, link
from streams.names import arns
from streams.records.untrusted import entity, listing, mapping, text
from streams.source import Json

_MOST: Final = 64
_LARGEST: Final = 65_536  # characters of a policy
Said = dict[str, Json]


def user(said: Said) -> Thing | None:
    """A user of IAM."""
    thing = arns.asset(said.get("Arn"))
    owner = tagged(said.get("Tags"))
    used = said.get("PasswordLastUsed")
    times = (said.get("CreateDate"), used)
    above = hosts(thing, said.get("Arn"))
    return Thing(
        (thing,), "iam user", above, owner | {"last_used": text(used, 64)}, times, {}, PEOPLE
    )


def role(said: Said) -> Thing | None:
    """A role of IAM, and who may assume it."""
    thing = arns.asset(said.get("Arn"))
    used = at(said, "RoleLastUsed", "LastUsedDate")
    edges: list[Edge] = list(hosts(thing, said.get("Arn")))
    open_ = False
    for who in _trusted(said.get("AssumeRolePolicyDocument")):
        open_ |= who == "*"
        known = text(who, 512) or ""
        if known.startswith("arn:") and ":root" not in known and not known.endswith("*"):
            edges += link(arns.asset(known), "may_assume", thing)
    return Thing(
        (thing,),
        "iam role",
        edges,
        tagged(said.get("Tags")) | {"last_used": text(used, 64)},
        (said.get("CreateDate"), used),
        {"anyone_may_assume": open_} if "AssumeRolePolicyDocument" in said else {},
        PEOPLE,
    )


def _trusted(policy: Json) -> Iterator[Json]:
    """Whom a policy lets assume a role: principals of AWS, without a condition."""
    for one in _allowed(policy):
        if one.get("Condition"):
            continue
        who = one.get("Principal")
        named = mapping(who).get("AWS") if isinstance(who, dict) else who
        yield from listing(named)[:_MOST] if isinstance(named, list) else (named,)


def _allowed(policy: Json) -> Iterator[Said]:
    if isinstance(policy, str) and len(policy) <= _LARGEST:
        try:
            policy = orjson.loads(policy)
        except orjson.JSONDecodeError:
            return
    held = mapping(policy).get("Statement")
    for one in listing(held)[:_MOST] if isinstance(held, list) else (held,):
        if mapping(one).get("Effect") == "Allow":
            yield mapping(one)


def anyone(policy: Json) -> bool | None:
    """True if a policy of a resource lets anyone in; None where it says nothing."""
    if policy is None:
        return None
    return any(who == "*" for who in _trusted(policy))


def key(said: Said) -> Thing | None:
    """An access key, or one of Bedrock's own. Whose it is, only a user's name without ARN says."""
    number = said.get("AccessKeyId") or said.get("ServiceSpecificCredentialId")
    used = said.get("LastUsedDate") or at(said, "AccessKeyLastUsed", "LastUsedDate")
    ends = "ExpirationDate" in said if "ServiceSpecificCredentialId" in said else None
    return Thing(
        (entity("apikey", number),),
        "iam access key" if "AccessKeyId" in said else "bedrock key",
        (),
        {
            "status": text(said.get("Status"), 32),
            "owner": text(said.get("UserName"), 128),
            "last_used": text(used, 64),
        },
        (said.get("CreateDate"), used),
        {"never_expires": no(ends)},
    )


def person(said: Said) -> Thing | None:
    """A user of the Identity Center, by the e-mail address that other logs have."""
    mail = next((mapping(one).get("Value") for one in listing(said.get("Emails"))), None)
    name = text(mail or said.get("UserName"), 256)
    known = entity("principal", name.lower() if name else None, said.get("DisplayName"))
    number = entity("principal", said.get("UserId"))
    return Thing(
        (known, number), "identity center user", link(known, "same_as", number), kind=PEOPLE
    )


def hosts(thing: Entity | None, arn: Json) -> Iterator[Edge]:
    """The account in the ARN hosts it."""
    return link(entity("account", account_of(arn)), "hosts", thing)

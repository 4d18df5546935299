"""Databricks audit log: who served, registered, searched and shared what in a workspace.

Read are the JSON lines that log delivery writes (schema 2.0), alone or in a list, and rows of
`system.access.audit` as JSON; inner values may be JSON texts. Of a record are known its endpoints
of model serving, models, vector indexes, tables, tokens and who acted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.detection import Logsource
from schemas.entity import Entity, Kind
from schemas.event import Client, Edge, Event, EventEvidence, Status
from schemas.times import HOUR
from streams.names import aws
from streams.records.clocks import clock
from streams.records.envelope import records
from streams.records.untrusted import distinct, edge, entity, listing, mapping, opened, sane, text
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "databricks"
TITLE: Final = "Databricks audit log"
LOGSOURCE: Final = Logsource(product="databricks", service="audit")
LATENESS: Final = HOUR  # delivery to a bucket takes up to that
CATEGORIES: Final = frozenset({"api_activity", "authentication"})
ATTRIBUTES: Final = frozenset(
    """
    api.operation api.service cloud.account.id databricks.audit_level databricks.group
    databricks.model.stage databricks.model.version databricks.request.id databricks.secret.key
    databricks.secret.scope databricks.session.id databricks.setting databricks.setting.value
    databricks.workspace.id error.code user.email
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "schema 2.0 and the system table, as documented in 2025"
GAPS: Final = (
    "The diagnostic logs of a workspace on Azure have another shape: `azure_diagnostics` reads it.",
    "A deleted endpoint does not say what it served: these edges stay until they are not seen.",
    "Times of the system table are read where they are RFC 3339 or a number.",
    "What services without AI log (clusters, SQL) is kept only where a rule asks for it.",
)

_REFUSED: Final = 400
_MILLI, _MICRO = 10**11, 10**14  # from which number on a time counts these of a second
_LEVELS: Final = ("catalogname", "schemaname", "name")
_MODELS: Final = frozenset({"modelregistry", "unitycatalog"})
_SERVING: Final = frozenset({"serverlessrealtimeinference", "modelserving"})


# Services that log most and in which there is no model, no data that is governed, and no key.
_ORDINARY: Final = frozenset(
    """
    clusterpolicies clusters dashboards databrickssql dbfs deltapipelines filesystem gitcredentials
    globalinitscripts ingestion instancepools jobs marketplaceconsumer marketplaceprovider notebook
    partnerhub predictiveoptimization remotehistoryservice repos sqlpermissions ssh webterminal
    """.split()  # noqa: SIM905 - names read better as a paragraph
)


def _uid(record: Json, sha256: str) -> str:
    return text(_folded(record).get("eventid"), 128) or sha256


def _when(value: Json) -> int:
    if value.__class__ is int and _MILLI <= value < _MICRO:  # nearly all
        return sane(value * 1_000)
    return clock(value)


NARROW: Final = Narrow(
    time="timestamp",
    relevant={},
    ordinary={"serviceName": _ORDINARY, "service_name": _ORDINARY},
    counted=True,
    clock=_when,
    uid=_uid,
)


def sniff(head: bytes) -> bool:
    """The keys of a record, as delivery writes them or as the columns are called."""
    camel = (b'"actionName"', b'"serviceName"', b'"userIdentity"')
    snake = (b'"action_name"', b'"service_name"', b'"user_identity"')
    others = (b'"requestParams"', b'"auditLevel"', b'"workspaceId"', b'"request_params"')
    ours = any(all(key in head for key in keys) for keys in (camel, snake))
    return ours and any(key in head for key in others)


def split(document: bytes) -> Iterator[Raw]:
    """The records of a list, or the one record."""
    return records(document)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - no context
    """One action."""
    said = _folded(record)
    service, action = text(said.get("servicename"), 128), text(said.get("actionname"), 128)
    if service is None or action is None:
        raise Unreadable("wrong-shape", "a record has serviceName and actionName")
    when = clock(said.get("timestamp"), said.get("eventtime"))
    asked = _folded(said.get("requestparams"))
    code = _code(_folded(said.get("response")).get("statuscode"))
    workspace = text(said.get("workspaceid"), 64)
    actor = _actor(_folded(said.get("useridentity")))
    login = service == "accounts" and action.lower().endswith("login")
    address, agent = text(said.get("sourceipaddress"), 256), text(said.get("useragent"), 512)
    things = _Things(service.lower(), action.lower(), workspace or "0", asked)
    found = things.all()
    status = _status(code)
    edges = [*things.edges(found)] if status == "success" else []
    key = _token(asked) if service == "accounts" else None
    if key and actor and status == "success" and (login or action == "revokeDbToken"):
        edges.append(edge(actor, "owns", key, ended=not login))
    account = entity("account", said.get("accountid"))
    whom = _person(asked.get("targetusername") or asked.get("principal"))
    attributes = {
        "api.operation": action,
        "api.service": service,
        "cloud.account.id": text(said.get("accountid"), 64),
        "databricks.group": text(asked.get("targetgroupname"), 256),
        "databricks.audit_level": text(said.get("auditlevel"), 64),
        "databricks.model.stage": text(asked.get("stage"), 64),
        "databricks.model.version": text(asked.get("version") or asked.get("versionarg"), 64),
        "databricks.request.id": text(said.get("requestid"), 128),
        "databricks.secret.key": text(asked.get("key"), 256) if service == "secrets" else None,
        "databricks.secret.scope": text(asked.get("scope"), 256) if service == "secrets" else None,
        "databricks.session.id": text(said.get("sessionid"), 128),
        "databricks.setting": text(asked.get("workspaceconfkeys"), 256),
        "databricks.setting.value": text(asked.get("workspaceconfvalues"), 256),
        "databricks.workspace.id": workspace,
        "error.code": str(code) if status == "failure" else None,
        "user.email": actor.id if actor and "@" in actor.id else None,
    }
    return Parsed(
        Event(
            uid=_uid(said, evidence.sha256),
            time=when,
            source=NAME,
            class_uid=3002 if login else 6003,
            class_name="Authentication" if login else "API Activity",
            activity=action,
            status=status,
            message=f"{service} {action}" + (f" by {actor.id}" if actor else ""),
            actor=actor,
            client=Client(ip=address, user_agent=agent) if address or agent else None,
            entities=distinct((*found, key, whom, actor, account))
            or distinct((entity("account", workspace or NAME),)),
            edges=tuple(edges),
            attributes={name: value for name, value in attributes.items() if value is not None},
            evidence=evidence,
        ),
        {},
    )


class _Things:
    """What the parameters of an action name; the first is what it is about."""

    def __init__(self, service: str, action: str, workspace: str, asked: dict[str, Json]) -> None:
        self.service, self.action, self.workspace, self.asked = service, action, workspace, asked

    def all(self) -> list[Entity]:
        """Each kind as its service says it."""
        asked, found = self.asked, list[Entity | None]()
        if self.service in _SERVING:
            name = asked.get("name") or asked.get("endpointname")
            found += [self._here("endpoint", name), *self.served()]
            found += [self._model(asked.get("registeredmodelname"))]
        elif self.service == "vectorsearch" and "index" in self.action:
            found += [_full("datastore", asked.get("name") or asked.get("indexname")), self.fed()]
        elif self.service in _MODELS and "model" in self.action:
            found += [self._model(asked.get("fullnamearg") or self.name()), self.run()]
        elif self.service == "unitycatalog":
            found += [_full("dataset", asked.get("tablefullname"))]
            if "table" in self.action:
                found += [_full("dataset", asked.get("fullnamearg"))]
        return [one for one in found if one]

    def name(self) -> str | None:
        """The full name of a model whose parts are said one by one, else the one name there is."""
        last = text(self.asked.get("modelname") or self.asked.get("name"), 256)
        above = [text(self.asked.get(one), 128) for one in _LEVELS[:-1]]
        return f"{above[0]}.{above[1]}.{last}" if last and all(above) else last

    def edges(self, found: list[Entity]) -> Iterator[Edge]:
        """What an action that succeeded declares."""
        if not found or not self.action.startswith(("create", "update")):
            return
        about = found[0]
        for one in found[1:]:
            if about.kind == "endpoint" and one.kind == "model":
                yield edge(about, "serves", one, declared=True)
            elif about.kind == "datastore":
                yield edge(about, "fed_by", one, declared=True)
            elif about.kind == "model" and one.kind == "job":
                yield edge(about, "made_by", one, declared=True)

    def served(self) -> Iterator[Entity | None]:
        """The models behind an endpoint: of the registry, or of another provider."""
        inside = _folded(self.asked.get("config")) or self.asked
        for row in _rows(inside.get("servedentities")) or _rows(inside.get("servedmodels")):
            one = _folded(row)
            other = text(_folded(one.get("externalmodel")).get("name"), 256)
            if other:
                yield aws.model(other)
            else:
                yield self._model(one.get("entityname") or one.get("modelname"))

    def fed(self) -> Entity | None:
        """The table that an index is kept in step with."""
        spec = _folded(self.asked.get("deltasyncindexspec"))
        return _full("dataset", spec.get("sourcetable"))

    def run(self) -> Entity | None:
        """The run of MLflow that a version of a model came from."""
        known = text(self.asked.get("runid"), 128)
        return entity("job", f"mlflow/{known}") if known else None

    def _model(self, name: Json) -> Entity | None:
        """A model of the catalog by its full name, of a workspace's registry by that too."""
        known = text(name, 256)
        if known is None or known.count(".") == len(_LEVELS) - 1:
            return _full("model", known)
        return self._here("model", known)

    def _here(self, kind: Kind, name: Json) -> Entity | None:
        """A thing of the workspace: `databricks/<workspace>/<name>`."""
        known = text(name, 256)
        return entity(kind, f"{NAME}/{self.workspace}/{known}".lower(), known) if known else None


def _full(kind: Kind, name: Json) -> Entity | None:
    """A thing of the catalog: `databricks/<catalog>.<schema>.<name>`."""
    known = text(name, 256)
    return entity(kind, f"{NAME}/{known}".lower(), known) if known else None


def _actor(who: dict[str, Json]) -> Entity | None:
    """A person by e-mail, a service principal by its application id."""
    return _person(who.get("email")) or _person(who.get("subjectname"))


def _person(value: Json) -> Entity | None:
    known = text(value, 256)
    return entity("principal", known.lower()) if known else None


def _token(asked: dict[str, Json]) -> Entity | None:
    """A token by its id; a token itself is no id, and is not kept."""
    known = text(asked.get("tokenid"), 128)
    return entity("apikey", known) if known and not known.lower().startswith("dapi") else None


def _code(value: Json) -> int | None:
    code = str(value)
    return int(code) if code.isascii() and code.isdecimal() and len(code) == 3 else None


def _status(code: int | None) -> Status:
    if code is None:
        return "unknown"
    return "success" if code < _REFUSED else "failure"


def _folded(value: Json) -> dict[str, Json]:
    """An object, which may stand in a text, by its keys without case and underscores."""
    return {key.replace("_", "").lower(): one for key, one in mapping(opened(value)).items()}


def _rows(value: Json) -> list[Json]:
    return listing(opened(value))

"""Google Cloud, what AI stands on: projects, people, containers, machines, stores of data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from schemas.entity import Entity
from schemas.event import Edge
from streams.described.answers import PEOPLE, Thing, no, tagged, word
from streams.lineage.calls import at, imaged, link
from streams.names import gcp
from streams.records.untrusted import entity, listing, mapping, text
from streams.source import Json

_MOST: Final = 64
_MACHINE: Final = re.compile(r"/compute/v1/projects/[^/]+/zones/[^/]+/instances/[^/]+$")
_ANYONE: Final = frozenset({"allAuthenticatedUsers", "allUsers"})
Said = dict[str, Json]


def base(said: Said) -> dict[str, Json]:
    """Attributes that most resources have."""
    name = text(said.get("name"), 512)
    labels = tagged(said.get("labels"))
    status = text(said.get("state") or said.get("lifecycleState"), 64)
    return labels | {"status": status, "location": gcp.part(name, "locations")}


def times(said: Said) -> tuple[Json, ...]:
    """When a resource was made, changed, ended."""
    made = said.get("createTime") or said.get("creationTime")
    return (made, said.get("updateTime"), said.get("endTime"))


def own_key(said: Said) -> bool:
    """True if a key of the owner's encrypts it."""
    places = (
        at(said, "encryptionSpec", "kmsKeyName"),
        at(said, "encryption", "defaultKmsKeyName"),
        at(said, "defaultEncryptionConfiguration", "kmsKeyName"),
        at(said, "gceSetup", "bootDisk", "kmsKey"),
        said.get("kmsKeyName"),
    )
    return any(text(one) for one in places)


def project(said: Said) -> Entity | None:
    """The project in the name of a resource."""
    return entity("account", gcp.part(said.get("name"), "projects"))


def hosts(said: Said, thing: Entity | None) -> Iterator[Edge]:
    """The project in its name hosts it."""
    return link(project(said), "hosts", thing)


def image(said: Said, _: list[str]) -> Thing | None:
    """An image of the Artifact Registry; charts of Helm are listed with them."""
    if "helm" in (text(said.get("artifactType"), 128) or ""):
        return None
    uri = text(said.get("uri"), 512)
    known = ", ".join(filter(None, (text(one, 128) for one in listing(said.get("tags"))[:8])))
    times = (said.get("uploadTime"), said.get("updateTime"))
    return Thing((imaged(uri),), "docker image", (), {"version": known or None}, times)


def repository(said: Said, parts: list[str]) -> Thing | None:
    """A repository of the Artifact Registry, for images or packages of Python."""
    if text(said.get("format"), 32) not in {"DOCKER", "PYTHON"}:
        return None
    host = f"{parts[3]}-docker.pkg.dev" if said["format"] == "DOCKER" else f"{parts[3]}.pkg.dev"
    thing = entity("repo", f"{host}/{parts[1]}/{parts[-1]}".lower())
    scans = text(at(said, "vulnerabilityScanningConfig", "enablementState"), 64)
    checks = {"images_not_scanned": word(scans, "disabled")}
    return Thing(
        (thing,), "artifact repository", hosts(said, thing), base(said), times(said), checks
    )


def notebook(said: Said, parts: list[str]) -> Thing | None:
    """A workbench; what else has instances there has no machine that it is set up on."""
    setup = mapping(said.get("gceSetup"))
    if not setup and "machineType" not in said:
        return None
    thing = entity("workload", f"notebook/{parts[1]}/{parts[-1]}")
    accounts = listing(setup.get("serviceAccounts")) or [{"email": said.get("serviceAccount")}]
    edges = list(hosts(said, thing))
    for one in accounts[:_MOST]:
        edges += link(thing, "runs_as", gcp.principal(mapping(one).get("email")))
    public = no(setup.get("disablePublicIp")) if "disablePublicIp" in setup else None
    checks = {"public_network": public, "no_own_key": not own_key(said)}
    return Thing((thing,), "vertex workbench", edges, base(said), times(said), checks)


def bigtable(said: Said, parts: list[str]) -> Thing | None:
    """An instance or a table of Bigtable."""
    thing = entity("datastore", "/".join(("bigtable", *parts[1::2])))
    return Thing((thing,), "bigtable " + parts[-2][:-1], hosts(said, thing), base(said))


def bucket(said: Said) -> Thing | None:
    """A bucket of Cloud Storage, as the API or gcloud has it."""
    name = text(said.get("name") or said.get("id"), 256)
    rights = mapping(said.get("iamConfiguration"))
    guarded = said.get("public_access_prevention") or rights.get("publicAccessPrevention")
    own = said.get("default_kms_key") or own_key(said)
    return Thing(
        (entity("datastore", f"gcs/{name}" if name else None),),
        "storage bucket",
        (),
        tagged(said.get("labels")) | {"location": text(said.get("location"), 64)},
        (said.get("timeCreated") or said.get("creation_time"), said.get("updated")),
        # That it may be opened to anyone does not say that it is.
        {"public_network": word(guarded, "inherited", "unspecified"), "no_own_key": not own},
    )


def machine(said: Said) -> Thing | None:
    """An instance of Compute Engine."""
    link_ = text(said.get("selfLink"), 512) or ""
    faces = [mapping(one) for one in listing(said.get("networkInterfaces"))[:_MOST]]
    ways = (mapping(one) for face in faces for one in listing(face.get("accessConfigs"))[:_MOST])
    public = any(text(one.get("natIP")) for one in ways)
    thing = entity("host", (text(said.get("name"), 256) or "").lower())
    project = entity("account", gcp.part(link_, "projects"))
    edges = list(link(project, "hosts", thing))
    for one in listing(said.get("serviceAccounts"))[:_MOST]:
        edges += link(thing, "runs_as", gcp.principal(mapping(one).get("email")))
    return Thing(
        (thing,),
        "compute instance",
        edges,
        {
            **tagged(said.get("labels")),
            "status": text(said.get("status"), 32),
            "size": (text(said.get("machineType"), 256) or "").rpartition("/")[2] or None,
            "exposure": "internet" if public else None,
        },
        (said.get("creationTimestamp"),),
        {"public_network": public if faces else None},
    )


def cluster(said: Said) -> Thing | None:
    """A cluster of Kubernetes."""
    link_, name = text(said.get("selfLink"), 512), text(said.get("name"), 128)
    owner = gcp.part(link_, "projects")
    thing = entity("workload", f"gke/{name}" if name else None)
    private = at(said, "privateClusterConfig", "enablePrivateEndpoint")
    return Thing(
        (thing,),
        "gke cluster",
        link(entity("account", owner), "hosts", thing),
        {
            **tagged(said.get("resourceLabels")),
            "status": text(said.get("status"), 32),
            "version": text(said.get("currentMasterVersion"), 64),
            "location": text(said.get("location"), 64),
        },
        (said.get("createTime"),),
        {"public_network": private is not True},
    )


def table(said: Said) -> Thing | None:
    """A dataset, table or view of BigQuery, by the names that its audit log has."""
    ref = mapping(said.get("tableReference") or said.get("datasetReference"))
    project, name, table = (
        text(ref.get(key), 256) for key in ("projectId", "datasetId", "tableId")
    )
    if project is None or name is None:
        return None
    whole = entity("dataset", f"projects/{project}/datasets/{name}")
    thing = entity("dataset", f"{whole.id}/tables/{table}") if whole and table else whole
    edges = list(link(entity("account", project), "hosts", thing))
    edges += link(whole, "fed_by", thing)
    for one in listing(at(said, "externalDataConfiguration", "sourceUris"))[:_MOST]:
        edges += link(thing, "fed_by", gcp.bucket(one))
    shared = [mapping(one) for one in listing(said.get("access"))[:_MOST]]
    anyone = any(
        text(one.get(key), 64) in _ANYONE for one in shared for key in ("iamMember", "specialGroup")
    )
    sort = (text(said.get("type"), 32) or "dataset").lower()
    return Thing(
        (thing,),
        f"bigquery {sort}",
        edges,
        tagged(said.get("labels")) | {"location": text(said.get("location"), 64)},
        (said.get("creationTime"), said.get("lastModifiedTime")),
        {"open_to_the_world": anyone if "access" in said else None},
    )


def owned(said: Said) -> Thing | None:
    """A project, folder or organisation, below another or not."""
    thing = entity("account", said.get("projectId"), said.get("name"))
    thing = thing or _above(text(said.get("name"), 256))
    gone = said.get("lifecycleState") == "DELETE_REQUESTED"
    known = tagged(said.get("labels")) | {"status": text(said.get("lifecycleState"), 32)}
    parent = mapping(said.get("parent"))
    above = said.get("parent") if not parent else f"{parent.get('type')}s/{parent.get('id')}"
    hosts = link(_above(text(above, 256)), "hosts", thing)
    return Thing((thing,), "project of Google", hosts, known, times(said), gone=gone)


def run(said: Said) -> Thing | None:
    """A service of Cloud Run, which gcloud lists as Knative has it."""
    meta = mapping(said.get("metadata"))
    name, project = text(meta.get("name"), 128), text(meta.get("namespace"), 128)
    thing = entity("workload", f"run/{project}/{name}" if name and project else None)
    spec = mapping(at(said, "spec", "template", "spec"))
    edges = list(link(entity("account", project), "hosts", thing))
    for one in listing(spec.get("containers"))[:_MOST]:
        edges += link(thing, "runs_image", imaged(mapping(one).get("image")))
    edges += link(thing, "runs_as", gcp.principal(spec.get("serviceAccountName")))
    way = text(mapping(meta.get("annotations")).get("run.googleapis.com/ingress"), 64)
    return Thing(
        (thing,),
        "cloud run service",
        edges,
        tagged(meta.get("labels")),
        (meta.get("creationTimestamp"),),
        {"public_network": word(way, "all")},
    )


def person(said: Said) -> Thing | None:
    """A user of Google Workspace."""
    person = gcp.principal(said.get("primaryEmail"))
    status = "suspended" if said.get("suspended") is True else None
    role = "admin" if said.get("isAdmin") is True else None
    return Thing(
        (person,),
        "google user",
        (),
        {"status": status, "role": role, "last_used": text(said.get("lastLoginTime"), 64)},
        (said.get("creationTime"), said.get("lastLoginTime")),
        {"no_second_factor": no(said.get("isEnrolledIn2Sv"))},
        PEOPLE,
    )


def granted(said: Said) -> Thing | None:
    """Who may use a resource by which policies, as the asset inventory finds them."""
    name = text(said.get("resource") or said.get("full_resource_name"), 512)
    on = gcp.resource(name) or _above(name)
    policies = [mapping(said.get("policy"))]
    policies += [
        mapping(mapping(one).get("policy")) for one in listing(said.get("policies"))[:_MOST]
    ]
    people: list[Entity | None] = []
    edges: list[Edge] = []
    anyone = False
    for one in (mapping(one) for held in policies for one in listing(held.get("bindings"))[:_MOST]):
        for member in listing(one.get("members"))[:_MOST]:
            anyone |= text(member, 64) in _ANYONE
            if (text(member, 512) or "").startswith(("serviceAccount:", "user:")):
                person = gcp.principal(member)
                people.append(person)
                edges += link(person, "may_use", on)
    if on is None:
        return None
    untyped: Said = {"type": None}
    return Thing((on, *people), "policy", edges, untyped, (), {"open_to_the_world": anyone})


def _above(name: str | None) -> Entity | None:
    """A project, folder or organisation."""
    parts = (name or "").rpartition(".com/")[2].split("/")
    if len(parts) != 2 or parts[0] not in {"folders", "organizations", "projects"}:
        return None
    return entity("account", parts[1] if parts[0] == "projects" else "/".join(parts))


def is_machine(address: str) -> bool:
    """True of the address of an instance of Compute Engine."""
    return _MACHINE.search(address) is not None

"""AWS, what AI runs on and with: containers, functions, hosts, images, stores of data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from streams.described import aws_people
from streams.described.answers import Thing, no, tagged, word, yes
from streams.described.aws_ai import region_of
from streams.described.aws_people import hosts
from streams.lineage.calls import at, imaged, link, role
from streams.names import arns, aws
from streams.records.untrusted import entity, listing, mapping, text
from streams.source import Json

_MOST: Final = 64
Said = dict[str, Json]


class Shape(NamedTuple):
    """The keys that tell a kind of record, and what reads it."""

    marks: frozenset[str]
    read: Callable[[Said], Thing | None]


def _bucket(said: Said) -> Thing | None:
    name = text(said.get("Name"), 256)
    return Thing(
        (entity("datastore", f"s3/{name}" if name else None),),
        "s3 bucket",
        (),
        {"region": text(said.get("Region") or said.get("BucketRegion"), 64)},
        (said.get("CreationDate"),),
    )


def _table(said: Said) -> Thing | None:
    arn = said.get("TableArn")
    sse = text(at(said, "SSEDescription", "Status"), 32)
    thing = arns.asset(arn)
    return Thing(
        (thing,),
        "dynamodb table",
        hosts(thing, arn),
        tagged(said.get("Tags")) | {"region": region_of(arn), "encrypted": True},
        (said.get("CreationDateTime"),),
        {"no_own_key": sse not in {"ENABLED", "ENABLING", "UPDATING"}},
    )


def _database(said: Said) -> Thing | None:
    arn = said.get("DBInstanceArn") or said.get("DBClusterArn")
    thing = arns.asset(arn)
    public, sealed = yes(said.get("PubliclyAccessible")), yes(said.get("StorageEncrypted"))
    cluster = said.get("DBClusterIdentifier") if "DBInstanceArn" in said else None
    whole = entity("datastore", f"rds/{cluster}" if text(cluster) else None)
    return Thing(
        (thing,),
        "rds database",
        (*hosts(thing, arn), *link(whole, "fed_by", thing)),
        {
            **tagged(said.get("TagList")),
            "status": text(said.get("DBInstanceStatus") or said.get("Status"), 64),
            "region": region_of(arn),
            "version": _joined(said.get("Engine"), said.get("EngineVersion")),
            "encrypted": sealed,
            "exposure": "internet" if public else None,
        },
        (said.get("InstanceCreateTime") or said.get("ClusterCreateTime"),),
        {"public_network": public, "not_encrypted": no(sealed)},
    )


def _search(said: Said) -> Thing | None:
    """A domain of OpenSearch or Elasticsearch."""
    arn, sealed = said.get("ARN"), yes(at(said, "EncryptionAtRestOptions", "Enabled"))
    private = bool(mapping(said.get("VPCOptions")).get("VPCId"))
    thing = arns.asset(arn)
    open_ = aws_people.anyone(said.get("AccessPolicies"))
    return Thing(
        (thing,),
        "opensearch domain",
        hosts(thing, arn),
        {
            "region": region_of(arn),
            "version": text(said.get("EngineVersion") or said.get("ElasticsearchVersion"), 64),
            "encrypted": sealed,
            "exposure": "internet" if open_ and not private else None,
        },
        (),
        {
            "not_encrypted": no(sealed),
            "no_private_network": not private,
            "open_to_the_world": None if open_ is None else open_ and not private,
        },
        gone=said.get("Deleted") is True,
    )


def _collection(said: Said) -> Thing | None:
    """A collection of OpenSearch Serverless, where knowledge bases keep their vectors."""
    thing = arns.asset(said.get("arn"))
    times = (said.get("createdDate"), said.get("lastModifiedDate"))
    status = {"status": text(said.get("status"), 32), "region": region_of(said.get("arn"))}
    return Thing((thing,), "opensearch collection", hosts(thing, said.get("arn")), status, times)


def _instance(said: Said) -> Thing | None:
    thing = entity("host", (text(said.get("InstanceId"), 64) or "").lower())
    address, tokens = (
        text(said.get("PublicIpAddress"), 64),
        at(said, "MetadataOptions", "HttpTokens"),
    )
    asleep = text(at(said, "State", "Name"), 32)
    return Thing(
        (thing,),
        "ec2 instance",
        (),
        {
            **tagged(said.get("Tags")),
            "status": asleep,
            "size": text(said.get("InstanceType"), 64),
            "exposure": "internet" if address else None,
        },
        (said.get("LaunchTime"),),
        {"old_metadata_service": word(tokens, "optional")},
        gone=asleep == "terminated",
    )


def _managed(said: Said) -> Thing | None:
    """A host as Systems Manager knows it."""
    thing = entity("host", said.get("InstanceId"), said.get("ComputerName"))
    version = _joined(said.get("PlatformName"), said.get("PlatformVersion"))
    status = text(said.get("PingStatus"), 32)
    times = (said.get("LastPingDateTime"),)
    return Thing(
        (thing,), "managed host", (), {"version": version, "status": status}, (None, *times)
    )


def _function(said: Said) -> Thing | None:
    arn = said.get("FunctionArn")
    thing = arns.asset(arn)
    return Thing(
        (thing,),
        "lambda function",
        (*hosts(thing, arn), *role(thing, said.get("Role"))),
        {
            "region": region_of(arn),
            "version": text(said.get("Runtime"), 64),
            "status": text(said.get("State"), 32),
        },
        (said.get("LastModified"),),
        {},
    )


def _packed(said: Said) -> Thing | None:
    """A function with where its code lies, as `get-function` answers."""
    known = _function(mapping(said.get("Configuration")))
    if known is None:
        return None
    runs = link(known.about[0], "runs_image", imaged(at(said, "Code", "ImageUri")))
    return known._replace(
        edges=(*known.edges, *runs), said={**known.said, **tagged(said.get("Tags"))}
    )


def _repository(said: Said) -> Thing | None:
    uri = text(said.get("repositoryUri"), 512)
    scans = yes(at(said, "imageScanningConfiguration", "scanOnPush"))
    return Thing(
        (entity("repo", uri.lower() if uri else None),),
        "ecr repository",
        (),
        {"region": region_of(said.get("repositoryArn"))},
        (said.get("createdAt"),),
        {"images_not_scanned": no(scans)},
    )


def _pushed(said: Said) -> Thing | None:
    """An image of a repository, by its digest."""
    account, name = text(said.get("registryId"), 64), text(said.get("repositoryName"), 256)
    digest = text(said.get("imageDigest"), 128)
    tags = ", ".join(filter(None, (text(one, 128) for one in listing(said.get("imageTags"))[:8])))
    return Thing(
        (imaged(f"{name}@{digest}") if name and digest else None, entity("account", account)),
        "ecr image",
        (),
        {"version": tags or None},
        (said.get("imagePushedAt"), said.get("lastRecordedPullTime")),
    )


def _eks(said: Said) -> Thing | None:
    arn, net = said.get("arn"), mapping(said.get("resourcesVpcConfig"))
    thing, public = arns.asset(arn), yes(net.get("endpointPublicAccess"))
    anyone = public and "0.0.0.0/0" in listing(net.get("publicAccessCidrs") or ["0.0.0.0/0"])
    return Thing(
        (thing,),
        "eks cluster",
        (*hosts(thing, arn), *role(thing, said.get("roleArn"))),
        {
            **tagged(said.get("tags")),
            "status": text(said.get("status"), 32),
            "region": region_of(arn),
            "version": text(said.get("version"), 32),
            "exposure": "internet" if anyone else None,
        },
        (said.get("createdAt"),),
        {"public_network": public, "open_to_the_world": anyone},
    )


def _emr(said: Said) -> Thing | None:
    arn, number = said.get("ClusterArn"), text(said.get("Id"), 64)
    thing = entity("workload", f"emr/{number}" if number else None, said.get("Name"))
    line = mapping(at(said, "Status", "Timeline"))
    return Thing(
        (thing,),
        "emr cluster",
        hosts(thing, arn),
        {
            **tagged(said.get("Tags")),
            "status": text(at(said, "Status", "State"), 32),
            "region": region_of(arn),
            "version": text(said.get("ReleaseLabel"), 64),
        },
        (line.get("CreationDateTime"), line.get("EndDateTime")),
    )


def _cluster(said: Said) -> Thing | None:
    arn, name = said.get("clusterArn"), text(said.get("clusterName"), 128)
    thing = entity("workload", f"ecs/{name}" if name else None)
    said_ = tagged(said.get("tags")) | {"status": said.get("status"), "region": region_of(arn)}
    return Thing((thing,), "ecs cluster", hosts(thing, arn), said_)


def _service(said: Said) -> Thing | None:
    arn, cluster = said.get("serviceArn"), said.get("clusterArn")
    thing = aws.task(cluster, said.get("taskDefinition"))
    place = mapping(at(said, "networkConfiguration", "awsvpcConfiguration"))
    public = word(place.get("assignPublicIp"), "enabled")
    return Thing(
        (thing, entity("workload", f"ecs/{aws.tail(cluster)}" if cluster else None)),
        "ecs service",
        (*hosts(thing, arn), *role(thing, None)),
        {
            **tagged(said.get("tags")),
            "status": text(said.get("status"), 32),
            "region": region_of(arn),
            "exposure": "internet" if public else None,
        },
        (said.get("createdAt"),),
        {"public_network": public},
    )


def _definition(said: Said) -> Thing | None:
    """A task definition; ECS takes the cluster `default` where none is named."""
    arn = said.get("taskDefinitionArn")
    thing = aws.task(None, arn)
    parts = [mapping(one) for one in listing(said.get("containerDefinitions"))[:_MOST]]
    runs = [one for part in parts for one in link(thing, "runs_image", imaged(part.get("image")))]
    host = any(part.get("privileged") is True for part in parts)
    return Thing(
        (thing,),
        "ecs task definition",
        (*hosts(thing, arn), *runs, *role(thing, said.get("taskRoleArn"))),
        {"status": text(said.get("status"), 32), "region": region_of(arn)},
        (said.get("registeredAt"),),
        {"host_access": host or said.get("networkMode") == "host" if parts else None},
    )


def _task(said: Said) -> Thing | None:
    thing = aws.task(said.get("clusterArn"), said.get("taskDefinitionArn"))
    edges = list(hosts(thing, said.get("taskArn")))
    for one in map(mapping, listing(said.get("containers"))[:_MOST]):
        name, digest = text(one.get("image"), 512), text(one.get("imageDigest"), 128)
        whole = f"{name}@{digest}" if name and digest and "@" not in name else name
        edges += link(thing, "runs_image", imaged(whole))
    status = {"status": text(said.get("lastStatus"), 32), "region": region_of(said.get("taskArn"))}
    times = (said.get("createdAt"), said.get("startedAt"), said.get("stoppedAt"))
    return Thing((thing,), "ecs task", edges, status, times)


def _node(said: Said) -> Thing | None:
    """A host of a cluster of ECS."""
    host = entity("host", said.get("ec2InstanceId"))
    parts = aws.resource(text(said.get("containerInstanceArn"), 512) or "").split("/")
    cluster = entity("workload", f"ecs/{parts[1]}" if len(parts) == 3 else None)
    status = {"status": text(said.get("status"), 32)}
    times = (said.get("registeredAt"),)
    return Thing((host, cluster), "ecs host", link(host, "hosts", cluster), status, times)


def _joined(*parts: Json) -> str | None:
    return " ".join(filter(None, (text(one, 64) for one in parts))) or None


def _shape(marks: str, read: Callable[[Said], Thing | None]) -> Shape:
    return Shape(frozenset(marks.split()), read)


# The most telling first.
SHAPES: Final = (
    _shape("AccessKeyId Status CreateDate", aws_people.key),
    _shape("ServiceSpecificCredentialId Status", aws_people.key),
    _shape("UserName UserId Arn", aws_people.user),
    _shape("RoleName RoleId Arn", aws_people.role),
    _shape("UserName UserId IdentityStoreId", aws_people.person),
    _shape("UserName UserId ExternalIds", aws_people.person),
    _shape("TableArn TableStatus", _table),
    _shape("DBInstanceArn", _database),
    _shape("DBClusterArn DBClusterIdentifier Engine", _database),
    _shape("DomainId DomainName ARN", _search),
    _shape("arn id createdDate collectionEndpoint", _collection),
    _shape("InstanceId ImageId InstanceType", _instance),
    _shape("InstanceId NetworkInterfaces", _instance),
    _shape("InstanceId PingStatus", _managed),
    _shape("Configuration Code", _packed),
    _shape("FunctionArn FunctionName Role", _function),
    _shape("repositoryArn repositoryUri", _repository),
    _shape("repositoryName imageDigest registryId", _pushed),
    _shape("arn resourcesVpcConfig", _eks),
    _shape("ClusterArn Id Status", _emr),
    _shape("serviceArn serviceName clusterArn", _service),
    _shape("taskArn taskDefinitionArn", _task),
    _shape("taskDefinitionArn containerDefinitions", _definition),
    _shape("containerInstanceArn ec2InstanceId", _node),
    _shape("clusterArn clusterName", _cluster),
)


def described(said: Said, within: str) -> Thing | None:
    """The thing that an answer of AWS describes; None of one that is none of an AI estate."""
    if within == "Buckets" and "Name" in said:
        return _bucket(said)
    for shape in SHAPES:
        if shape.marks <= said.keys():
            return shape.read(said)
    return None

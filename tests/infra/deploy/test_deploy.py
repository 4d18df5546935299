"""The files of infra/deploy: what they name is there, and what they start is a command of ours."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.cli import main
from infra.dev.jars import KAFKA
from infra.settings import load
from schemas.config import Config

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "infra" / "deploy"
Json = Any
Capture = pytest.CaptureFixture[str]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
COMPOSE: Json = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
MANIFESTS: Mapping[str, Json] = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
}
PODS = {
    name: manifest["spec"]["template"]["spec"]
    for name, manifest in MANIFESTS.items()
    if "template" in manifest.get("spec", {})
}
OURS = {name: one for name, one in COMPOSE["services"].items() if name != "kafka"}


def commands() -> Iterator[Sequence[str]]:
    """What the containers of ours start."""
    yield from (service["command"] for service in OURS.values())
    yield from (container["args"] for pod in PODS.values() for container in pod["containers"])
    yield dockerfile("CMD")


def dockerfile(instruction: str) -> list[str]:
    """The words of the last instruction of this name."""
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    *_, last = re.findall(rf"(?m)^{instruction} (.*)$", text)
    words: list[str] = json.loads(last) if last.startswith("[") else last.split()
    return words


@pytest.mark.parametrize("words", [pytest.param(one, id=" ".join(one)) for one in commands()])
def test_a_command_is_one_of_ours(words: Sequence[str], capsys: Capture) -> None:
    assert main([*words, "--another"]) == 2
    said = capsys.readouterr().err
    assert said == "barograph: unrecognized arguments: --another; see barograph --help\n"


def test_the_image_starts_barograph_as_nobody_in_particular() -> None:
    assert dockerfile("ENTRYPOINT") == ["barograph"]
    assert "barograph" in PROJECT["scripts"]
    assert dockerfile("USER") == ["10001:10001"]
    ours = {one["image"] for one in OURS.values()}
    ours |= {container["image"] for pod in PODS.values() for container in pod["containers"]}
    assert ours == {f"barograph:{PROJECT['version']}"}


def test_no_image_names_a_registry() -> None:
    images = [one["image"] for one in COMPOSE["services"].values()]
    images += re.findall(r"(?m)^FROM (\S+)", (DEPLOY / "Dockerfile").read_text("utf-8"))
    assert images[0] == f"apache/kafka:{version()}"
    for image in images:
        owner, slash, _ = image.rpartition("/")
        assert not slash or re.fullmatch("[a-z]+", owner)


def version() -> str:
    """The version of Kafka that the tests start."""
    return KAFKA.version


# -- compose


def test_the_services_wait_for_one_another() -> None:
    assert set(COMPOSE["services"]) == {"kafka", "topics", "worker-1", "worker-2"}
    assert OURS["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    for name in ("worker-1", "worker-2"):
        wait = {"topics": {"condition": "service_completed_successfully"}}
        assert OURS[name]["depends_on"] == wait
        assert "/readyz" in OURS[name]["healthcheck"]["test"][-1]
        compile(OURS[name]["healthcheck"]["test"][-1], name, "exec")
    assert "healthcheck" in COMPOSE["services"]["kafka"]


def test_the_services_have_what_they_mount_and_build() -> None:
    build = OURS["worker-1"]["build"]
    context = (DEPLOY / build["context"]).resolve()
    assert context == ROOT
    assert (context / build["dockerfile"]).is_file()
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (DEPLOY / source).is_file() if source[0] == "." else source in COMPOSE["volumes"]
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    kept = [line[1:] for line in ignored if line.startswith("!")]
    assert [name for name in kept if not (ROOT / name).exists()] == []
    # One who imports a package of ours must find it in the image.
    assert set(PROJECT["import-names"]) <= set(kept)


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_has_its_configuration(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    service = OURS[name]
    mounts = dict(volume.split(":")[1::-1] for volume in service.get("volumes", []))
    path = next((word for word in service["command"] if word.endswith(".toml")), None)
    config = load(None if path is None else DEPLOY / mounts[path], service["environment"])
    assert config.kafka is not None
    assert config.kafka.bootstrap == "kafka:9093"
    if name.startswith("worker"):
        assert config.data in mounts
        assert [sink.kind for sink in config.sink] == ["store", "jsonl"] * (path is not None)


def test_the_broker_is_reached_where_it_says_that_it_is() -> None:
    told = COMPOSE["services"]["kafka"]["environment"]
    assert all(isinstance(value, str) for value in told.values())
    listeners = dict(one.split("://:") for one in told["KAFKA_LISTENERS"].split(","))
    places = dict(one.split("://") for one in told["KAFKA_ADVERTISED_LISTENERS"].split(","))
    protocols = told["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"]
    assert {one.split(":")[0] for one in protocols.split(",")} == set(listeners)
    assert set(listeners) == {*places, told["KAFKA_CONTROLLER_LISTENER_NAMES"]}
    assert {n: place.rpartition(":")[2] for n, place in places.items()} == {
        name: port for name, port in listeners.items() if name in places
    }
    controller = listeners[told["KAFKA_CONTROLLER_LISTENER_NAMES"]]
    voters = f"{told['KAFKA_NODE_ID']}@kafka:{controller}"
    assert told["KAFKA_CONTROLLER_QUORUM_VOTERS"] == voters


# -- Kubernetes


def test_the_kinds() -> None:
    assert {name: (one["apiVersion"], one["kind"]) for name, one in MANIFESTS.items()} == {
        "configmap": ("v1", "ConfigMap"),
        "deployment": ("apps/v1", "Deployment"),
        "networkpolicy": ("networking.k8s.io/v1", "NetworkPolicy"),
        "poddisruptionbudget": ("policy/v1", "PodDisruptionBudget"),
        "secret": ("v1", "Secret"),
        "topics": ("batch/v1", "Job"),
    }
    assert {one["metadata"]["labels"]["app.kubernetes.io/name"] for one in MANIFESTS.values()} == {
        "barograph"
    }


def test_the_probes_ask_the_port_that_listens(tmp_path: Path) -> None:
    (worker,) = PODS["deployment"]["containers"]
    config = configuration("deployment", tmp_path)
    port = {one["name"]: one["containerPort"] for one in worker["ports"]}["health"]
    assert (config.server.host, config.server.port) == ("0.0.0.0", port)  # noqa: S104 - in a pod
    assert worker["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "health"}
    assert worker["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "health"}
    assert MANIFESTS["networkpolicy"]["spec"]["ingress"][0]["ports"] == [{"port": port}]
    egress = MANIFESTS["networkpolicy"]["spec"]["egress"][1]["ports"]
    assert config.kafka is not None
    assert {int(b.rpartition(":")[2]) for b in config.kafka.bootstrap.split(",")} == {
        egress[0]["port"]
    }


@pytest.mark.parametrize("name", sorted(PODS))
def test_a_pod_may_do_no_more_than_it_must(name: str) -> None:
    pod = PODS[name]
    assert pod["securityContext"]["runAsNonRoot"]
    assert f"{pod['securityContext']['runAsUser']}:10001" == dockerfile("USER")[0]
    assert pod["automountServiceAccountToken"] is False
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
    assert "memory" in container["resources"]["limits"]


def test_selectors_find_the_workers_only() -> None:
    workers = MANIFESTS["deployment"]["spec"]
    labels = workers["template"]["metadata"]["labels"]
    assert workers["selector"]["matchLabels"] == labels
    assert MANIFESTS["poddisruptionbudget"]["spec"]["selector"]["matchLabels"] == labels
    assert MANIFESTS["topics"]["spec"]["template"]["metadata"]["labels"] != labels
    pods = MANIFESTS["networkpolicy"]["spec"]["podSelector"]["matchLabels"]
    assert pods == {"app.kubernetes.io/name": "barograph"}
    # A worker with other rules is refused while others run.
    assert workers["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("name", sorted(PODS))
def test_the_configuration_of_a_pod(name: str, tmp_path: Path) -> None:
    config = configuration(name, tmp_path)
    assert config.kafka is not None
    assert config.kafka.tls
    files = mounted(PODS[name])
    assert config.kafka.ca in files
    assert config.kafka.password is not None
    key = {"deployment": "password", "topics": "creator-password"}[name]
    users = {"deployment": "barograph", "topics": "barograph-creator"}
    assert config.kafka.username == users[name]
    assert config.kafka.password.get_secret_value() == MANIFESTS["secret"]["stringData"][key]
    if name == "deployment":
        (sink,) = config.sink
        assert sink.secret is not None
        mounts = {one["mountPath"] for one in PODS[name]["containers"][0]["volumeMounts"]}
        assert {config.data, "/tmp"} <= mounts  # noqa: S108 - in a pod


def configuration(name: str, folder: Path) -> Config:
    """What a pod loads from its files and environment, which are laid out in `folder`."""
    pod = PODS[name]
    for place, text in mounted(pod).items():
        path = folder / place[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (container,) = pod["containers"]
    (path,) = (word.rpartition("=")[2] for word in container["args"] if word.endswith(".toml"))
    environment = {
        one["name"]: f"{folder}{one['value']}" if one["name"].endswith("_FILE") else one["value"]
        for one in container["env"]
    }
    return load(f"{folder}{path}", environment)


def mounted(pod: Json) -> dict[str, str]:
    """The files that a pod finds, by path: every ConfigMap and Secret that it names is there."""
    there = {one["metadata"]["name"]: one["data"] for one in kind("ConfigMap")}
    secrets = {one["metadata"]["name"]: one["stringData"] for one in kind("Secret")}
    volumes: dict[str, Mapping[str, str]] = {}
    for volume in pod["volumes"]:
        if "configMap" in volume:
            volumes[volume["name"]] = there[volume["configMap"]["name"]]
        elif "secret" in volume:
            volumes[volume["name"]] = secrets[volume["secret"]["secretName"]]
        else:
            assert volume["emptyDir"]["sizeLimit"]
            volumes[volume["name"]] = {}
    (container,) = pod["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes.keys()
    return {
        f"{mount['mountPath']}/{key}": text
        for mount in container["volumeMounts"]
        for key, text in volumes[mount["name"]].items()
    }


def kind(name: str) -> Iterator[Json]:
    return (one for one in MANIFESTS.values() if one["kind"] == name)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.names.artifacts import container, repository, workload

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        ("https://git.example/Team/App.git", "git.example/team/app"),
        ("https://user:x@git.example:8443/team/app/", "git.example/team/app"),
        ("ssh://git@git.example/team/app.git", "git.example/team/app"),
        ("git@git.example:team/app.git", "git.example/team/app"),
        ("https://git.example/group/sub/app/-/blob/main/a.py#L4", "git.example/group/sub/app"),
        ("https://git.example/team/app/blob/c0ffee/keys?raw=1", "git.example/team/app"),
        ("com.test:maven-plugins", "com.test:maven-plugins"),
        ("/src/triage/", "/src/triage"),
    ],
)
def test_a_repository(name: str, id_: str) -> None:
    found = repository(name)
    assert found is not None
    assert found.key == f"repo:{id_}"


@pytest.mark.parametrize("name", [None, "", " ", ".", "./", "/", 7.5, [], "unknown"])
def test_files_without_a_name(name: object) -> None:
    assert repository(name) is None


@pytest.mark.parametrize(
    ("names", "digests", "id_", "name"),
    [
        (["team/app:2"], [DIGEST], DIGEST, f"team/app@{DIGEST}"),
        (["x"], [f"reg.example/app@{DIGEST}"], DIGEST, f"reg.example/app@{DIGEST}"),
        ([], [DIGEST.upper()], DIGEST, DIGEST.upper()),
        (["reg.example:5000/app:2"], ["sha256:", "md5:1", None], "reg.example:5000/app:2", None),
        (["docker.io/library/nginx:1.27"], [], "nginx:1.27", None),
        (["index.docker.io/team/app"], [], "team/app", None),
        (["", None, "App:1"], [], "app:1", "App:1"),
    ],
)
def test_an_image(names: list[object], digests: list[object], id_: str, name: str | None) -> None:
    found = container(*names, digests=digests)
    assert found is not None
    assert (found.kind, found.id, found.name) == ("image", id_, name or id_)


def test_no_image() -> None:
    assert container(None, " ", digests=["1"]) is None


@pytest.mark.parametrize(
    ("namespace", "kind", "name", "id_"),
    [
        ("shop", "ReplicaSet", "triage-7c9d8f5b6d", "k8s/shop/triage"),
        ("shop", "ReplicaSet", "triage-12345", "k8s/shop/triage-12345"),
        ("shop", "Deployment", "triage-7c9d8f5b6d", "k8s/shop/triage-7c9d8f5b6d"),
        (None, "Pod", "triage-0", "k8s/default/triage-0"),
    ],
)
def test_a_workload(namespace: str | None, kind: str, name: str, id_: str) -> None:
    found = workload(namespace, kind, name)
    assert found is not None
    assert found.key == f"workload:{id_}"


@given(st.text(max_size=600))
def test_no_text_is_a_crash(name: str) -> None:
    for found in (repository(name), container(name, digests=[name]), workload(name, name, name)):
        assert found is None or len(found.id) <= 512

import pytest

from streams.names.purls import asset, package


@pytest.mark.parametrize(
    ("purl", "parts"),
    [
        ("pkg:pypi/ray@2.6.3", ("pypi", "ray", "2.6.3", "")),
        ("pkg:npm/%40example/server@1.2", ("npm", "@example/server", "1.2", "")),
        ("pkg:apk/alpine/musl@1.1?arch=x#sub", ("apk", "alpine/musl", "1.1", "arch=x")),
        ("pkg:Generic/x", ("generic", "x", None, "")),
        ("ray", None),
        (None, None),
    ],
)
def test_the_parts(purl: object, parts: tuple[str, str, str | None, str] | None) -> None:
    assert package(purl) == parts


@pytest.mark.parametrize(
    ("purl", "key"),
    [
        ("pkg:huggingface/Example/Writer@0a", "model:huggingface/example/writer"),
        (f"pkg:oci/triage@sha256%3A{'0' * 64}", f"image:sha256:{'0' * 64}"),
        ("pkg:oci/t?repository_url=images.example/t&tag=7", "image:images.example/t:7"),
        ("pkg:docker/mcp/fetch@1", "image:mcp/fetch:1"),
        ("pkg:docker/library/nginx@1.27", "image:nginx:1.27"),
        (
            "pkg:docker/team/t@1?repository_url=https://images.example/",
            "image:images.example/team/t:1",
        ),
        ("pkg:docker/images.example/t@1", "image:images.example/t:1"),
        ("pkg:oci/debian?repository_url=docker.io/library/debian&tag=12", "image:debian:12"),
        ("pkg:pypi/ray@2.6.3", None),
        ("", None),
    ],
)
def test_which_purls_are_assets(purl: str, key: str | None) -> None:
    found = asset(purl)
    assert (found.key if found else None) == key

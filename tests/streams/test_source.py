from pathlib import Path

import pytest

import streams.sources
from schemas.errors import Mistake
from streams.source import HEAD, named, names, sniffed, sources

FOLDER = Path(streams.sources.__path__[0])


def test_the_folder_is_the_registry() -> None:
    files = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))
    assert names() == files
    assert list(sources()) == names()


@pytest.mark.parametrize("name", names())
def test_a_source_says_what_it_is(name: str) -> None:
    source = named(name)
    assert name == source.NAME
    assert source.TITLE
    assert source.LOGSOURCE.product
    assert source.LATENESS > 0
    assert source.NARROW is None or source.NARROW.time


def test_a_name_that_is_none_is_a_mistake() -> None:
    with pytest.raises(Mistake, match=r"'cloudtrial'; there are .*cloudtrail, "):
        named("cloudtrial")


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b'{"bomFormat": "CycloneDX", "specVersion": "1.6"}', "cyclonedx"),
        (b'{"Records":[{"eventSource":"s3.amazonaws.com","eventName":"GetObject"}]}', "cloudtrail"),
        (b'{"resourceLogs":[]}', "otel"),
        (b'{"SchemaVersion": 2, "ArtifactName": "a"}', "trivy"),
        (b'{"prompt": "say \\"bomFormat\\": \\"CycloneDX\\""}', None),
        (b"[]", None),
        (b"", None),
        (bytes(range(256)), None),
        (b" " * HEAD + b'{"resourceLogs":[]}', None),
    ],
)
def test_a_head_shows_its_source(head: bytes, name: str | None) -> None:
    source = sniffed(head)
    assert (source.NAME if source else None) == name

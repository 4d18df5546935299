import pytest

from streams.names.models import dataset, file, hashed, hub, model, part, released, same

HEX = "ab" * 32


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ("pkg:huggingface/Example/Writer@0a1b", "huggingface/example/writer"),
        ("pkg:huggingface/Example%2FWriter", "huggingface/example/writer"),
        ("pkg:huggingface/gpt2", "huggingface/gpt2"),
        ("https://huggingface.co/Example/Writer/resolve/main/a.bin", "huggingface/example/writer"),
        ("hf.co/example/writer", "huggingface/example/writer"),
        ("hf://Example/Writer", "huggingface/example/writer"),
        ("huggingface gpt2", "huggingface/gpt2"),
        ("https://huggingface.co/datasets/example/letters", None),
        ("pkg:pypi/ray@2.6.3", None),
        ("writer", None),
        (None, None),
    ],
)
def test_a_model_of_the_hub(value: object, known: str | None) -> None:
    assert hub(value) == known


def test_a_model_by_name_and_by_hash() -> None:
    assert [one and one.key for one in (model("gpt-4o"), model(" "), hashed(f"SHA256:{HEX}"))] == [
        "model:gpt-4o",
        None,
        f"model:sha256:{HEX}",
    ]
    assert hashed("abc") is None


@pytest.mark.parametrize(
    ("path", "ids", "inside"),
    [
        ("/models/writer.pt", ["/models/writer.pt"], None),
        (f"/cache/models--O--N/blobs/{HEX}", [f"sha256:{HEX}", "huggingface/o/n"], None),
        (r"C:\cache\models--O--N\snapshots\0\a.pt", ["huggingface/o/n"], "a.pt"),
        ("https://huggingface.co/O/N/resolve/main/a.bin", ["huggingface/o/n"], "a.bin"),
        (f"{HEX}0.pt", [f"{HEX}0.pt"], None),
        ("", [], None),
    ],
)
def test_a_model_that_lies_in_a_file(path: str, ids: list[str], inside: str | None) -> None:
    assert [one.id for one in file(path) if one] == ids
    assert part(path) == inside


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ("s3://bucket/letters/", "s3/bucket/letters"),
        ("gs://bucket/letters", "gcs/bucket/letters"),
        ("https://huggingface.co/datasets/Example/Letters", "huggingface/example/letters"),
        ("letters", "letters"),
    ],
)
def test_a_dataset(value: str, known: str) -> None:
    found = dataset(value)
    assert found is not None
    assert found.id == known


def test_several_ids_of_one_model() -> None:
    first, second = hashed(HEX), model("pkg:huggingface/o/n")
    (tie,) = same((None, first, second, first))
    assert (tie.from_, tie.relation, tie.to, tie.declared) == (first, "same_as", second, True)


@pytest.mark.parametrize(
    ("name", "version", "known"),
    [
        ("gpt-4o", "2024-08-06", "gpt-4o-2024-08-06"),
        ("claude-3-5-sonnet", "20241022", "claude-3-5-sonnet-20241022"),
        ("gpt-4o-2024-08-06", "2024-08-06", "gpt-4o-2024-08-06"),
        ("gemini-2.5-pro", "latest", "gemini-2.5-pro"),
        ("us.vendor.m-v1:0", None, "vendor.m-v1:0"),
        ("writer", "1", "writer@1"),
        ("writer", "20", "writer@20"),
    ],
)
def test_a_model_in_a_bill_is_the_one_that_is_called(
    name: str, version: str | None, known: str
) -> None:
    found = released(name, version)
    assert found is not None
    assert found.id == known


def test_a_model_without_a_name() -> None:
    assert released(None, "1") is None

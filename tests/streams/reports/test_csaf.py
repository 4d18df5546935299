import orjson
import pytest

from streams.reports.csaf import advisory, score, statuses
from streams.source import Unreadable


def test_products_in_branches_in_branches() -> None:
    tree: dict[str, object] = {"product": {"product_id": "P", "name": "p"}}
    for _ in range(4):
        tree = {"branches": [tree]}
    document = {"document": {"csaf_version": "2.0"}, "product_tree": tree, "vulnerabilities": [{}]}
    found = advisory(orjson.dumps(document))
    assert [(one.id, one.name) for one in found.products.values()] == [("P", "p")]
    assert found.vulnerabilities == [b"{}"]


def test_what_is_said_of_a_product() -> None:
    status = {"known_affected": ["A"], "last_affected": ["A"], "recommended": ["B"], "fixed": 7}
    assert list(statuses({"product_status": status})) == [("A", "affected")]


def test_the_highest_score_for_a_product() -> None:
    metric = {"products": ["A"], "content": {"cvss_v3": {"baseScore": 8}, "cvss_v4": {}}}
    other = {"products": ["B"], "cvss_v3": {"baseScore": 9.8}}
    assert score({"metrics": [metric], "scores": [other]}, "A") == 8


@pytest.mark.parametrize("document", [{"document": {"csaf_version": "1.2"}}, {}])
def test_what_is_no_advisory(document: dict[str, object]) -> None:
    with pytest.raises(Unreadable) as error:
        advisory(orjson.dumps(document))
    assert error.value.reason == "wrong-shape"

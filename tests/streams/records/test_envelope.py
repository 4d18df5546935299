import base64

import orjson
import pytest

from streams.records.envelope import records
from streams.source import Unreadable

ONE, TWO = {"id": 1, "detail": "a word"}, {"id": 2}


def found(document: object, *lists: str) -> list[object]:
    return [orjson.loads(raw.data) for raw in records(orjson.dumps(document), *lists)]


def pushed(value: object) -> dict[str, object]:
    data = base64.b64encode(orjson.dumps(value)).decode()
    return {"message": {"data": data, "messageId": "1"}, "subscription": "projects/p/x"}


@pytest.mark.parametrize(
    "document",
    [
        [ONE, TWO],
        {"records": [ONE, TWO]},
        {"other": 1, "records": [ONE, TWO]},
        pushed([ONE, TWO]),
        [{"ackId": "1", "message": pushed(ONE)["message"]}, {"ackId": "2"} | pushed(TWO)],
        {"receivedMessages": [{"ackId": "1", "message": pushed([ONE, TWO])["message"]}]},
        {"detail-type": "x", "detail": {"records": [ONE, TWO]}},
        {
            "messageType": "DATA_MESSAGE",
            "logEvents": [{"message": orjson.dumps(one).decode()} for one in (ONE, TWO)],
        },
    ],
)
def test_carriers(document: object) -> None:
    assert found(document, "records") == [ONE, TWO]


@pytest.mark.parametrize(
    "document", [ONE, {"records": 7}, {"message": "words"}, {"logEvents": []}, {"detail": {}}]
)
def test_a_record_alone(document: object) -> None:
    assert found(document, "records") == [document]


def test_a_trial_of_the_way_holds_no_records() -> None:
    trial = {"messageType": "CONTROL_MESSAGE", "logEvents": [{"message": "checking health"}]}
    assert found(trial) == []


def test_a_record_is_its_exact_bytes() -> None:
    (raw,) = records(b' {"records": [ {"a" : 1.0} ]} ', "records")
    assert raw.data == b'{"a" : 1.0}'


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"[1, 2", "truncated"),
        (b'{"records": [1}', "not-json"),
        (b'{"subscription": "s", "message": {"data": "*"}}', "encoding"),
        ('{"subscription": "s", "message": {"data": "\u202e"}}'.encode(), "encoding"),
        (b'{"subscription": "s", "message": {"no": 1}}', "wrong-shape"),
        (b'{"messageType": "DATA_MESSAGE", "logEvents": [{}]}', "wrong-shape"),
    ],
)
def test_damaged_carriers(document: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        list(records(document, "records"))
    assert error.value.reason == reason


def test_carriers_in_carriers_end() -> None:
    document: object = ONE
    for _ in range(9):
        document = pushed(document)
    (left,) = found(document)
    assert isinstance(left, dict)


def test_a_push_that_is_no_base64_is_refused() -> None:
    for data in ("###", "\u00e9"):
        push = {"message": {"data": data}, "subscription": "projects/p/subscriptions/s"}
        with pytest.raises(Unreadable) as error:
            list(records(orjson.dumps(push)))
        assert error.value.reason == "encoding"

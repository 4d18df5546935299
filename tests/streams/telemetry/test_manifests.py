import orjson
import pytest

from streams.telemetry.manifests import manifest, offered

ONE = {"name": "get_rate", "inputSchema": {"type": "object"}}
TWO = {"type": "function", "function": {"name": "put_rate", "description": "x"}}


def test_order_and_spaces_do_not_count() -> None:
    first = manifest({"mcp.tools": [ONE, TWO]})
    again = orjson.dumps([TWO, ONE], option=orjson.OPT_INDENT_2).decode()
    assert manifest({"gen_ai.tool.definitions": again}) == first
    assert len(first["mcp.manifest.sha256"]) == 64
    assert first["mcp.manifest.cues"] == []


def test_what_an_sdk_writes_for_nothing_does_not_count() -> None:
    sent = ONE | {"annotations": {"readOnlyHint": True}, "_meta": {"a": None}}
    dumped = {**ONE, "title": None, "annotations": {"title": None, "readOnlyHint": True}}
    assert offered([dumped | {"meta": {"a": None}}]) == manifest({"body": {"tools": [sent]}})
    schema = ONE | {"inputSchema": {"type": "object", "default": None}}
    assert offered([schema])["mcp.manifest.sha256"] != offered([ONE])["mcp.manifest.sha256"]


def test_a_word_more_counts() -> None:
    more = ONE | {"description": "Today's rate."}
    hashes = {manifest({"mcp.tools": tools})["mcp.manifest.sha256"] for tools in ([ONE], [more])}
    assert len(hashes) == 2


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"mcp.tools": []},
        {"mcp.tools": "[]"},
        {"mcp.tools": "no JSON"},
        {"mcp.tools": "[not JSON"},
        {"mcp.tools": "[" * 100_000},
        {"mcp.tools": [1, 2]},
        {"mcp.tools": [ONE, {"role": "user"}]},
        {"body": '{"tools": 7}'},
        {"gen_ai.tool.call.result": '{"content": [{"type": "text"}]}'},
    ],
)
def test_what_is_no_tool_list(said: dict[str, object]) -> None:
    assert manifest(said) == {}

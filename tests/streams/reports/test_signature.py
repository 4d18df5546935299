from streams.reports.signature import reference, signature


def test_entities_are_counted_before_tools() -> None:
    held = signature(
        b'{"name":"s","server":{"command":"x"},"signature":{"prompts":[{}],"resources":[{}],'
        b'"tools":[{"name":"a"},{}]}}'
    )
    assert [one.id for one in held.at(2)] == ["stdio/x/a"]
    assert (held.at(0), held.at(3), held.at(9), held.at(None)) == ((), (), (), ())
    assert (held.listing, held.failed) == (b'[{"name":"a"},{}]', False)


def test_a_server_that_did_not_answer() -> None:
    assert signature(b'{"name":"s","server":{"url":"https://a.example"},"signature":null}').failed
    assert signature(b'{"name":7}').server is None


def test_what_an_issue_is_about() -> None:
    assert reference(b'{"reference":[1,null]}') == [1, None]
    assert reference(b'{"reference":"x"}') is None

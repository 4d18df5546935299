import pytest

from tests.streams.sources.described import lines
from tests.streams.sources.shown import rejected

SAID = {
    "github_inventory.json": """
2026-02-01 repo:github.com/claims/triage (github repository)
  exposure: internet
  owner: Claims
  account:github.com/claims hosts it
  fails secrets_not_scanned
""",
    "github_inventory.jsonl": """
2026-02-01 repo:ghcr.io/claims/triage (github package)
  owner: Claims
  fed_by repo:github.com/claims/triage
  passes open_to_the_world
2026-02-01 image:sha256:4444 (github image)
  version: 3
2026-03-01 principal:mara (no type)
  last_used: 2026-03-01T00:00:00.000000Z
  role: business
  calls application:github-copilot
undated principal:mara (github user)
undated principal:ole (github user)
  role: ADMIN
  same_as principal:ole@claims.example
  fails no_second_factor
2026-02-02 apikey:github/3 (github deploy key)
  last_used: 2026-02-02T00:00:00.000000Z
  repo:github.com/claims/triage owns it
""",
}
NOTHING = ("wrong-shape", "it describes nothing that an AI estate is made of")


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert lines(name) == SAID[name].strip("\n").split("\n")


def test_what_is_no_record() -> None:
    assert rejected("github_inventory.bad.json") == [NOTHING, NOTHING]

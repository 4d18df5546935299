"""Rules: what speaks for or against a call, each a query whose rows are reasons."""

# ruff: noqa: S608 - every part of these texts stands here; what is asked comes as parameters

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from infra.reading.inventory import SHADOW

Word = Literal["deny", "unknown", "warn", "allow"]
WORDS: Final[tuple[Word, ...]] = ("deny", "unknown", "warn", "allow")  # the first one wins


class Rule(NamedTuple):
    """`tells` is its line of the documented table; rows of `query` are text and evidence."""

    name: str
    verdict: Word
    tells: str
    query: str


# A fact of a vulnerability that a VEX statement takes back is none.
_FACTS: Final = """
SELECT
  count(*) || ' open, {0}, on ' || f.entity || ': '
    || array_to_string(list_sort(list_distinct(list(coalesce(f.title, f.name))))[:3], '; ') AS text,
  list_sort(list(f.id))[:20] AS evidence
FROM facts AS f
WHERE f.state = 'open' AND f.severity = '{0}' AND list_contains($names, f.entity)
  AND NOT EXISTS (
    FROM facts AS v WHERE v.name = 'vex' AND v.state = 'open' AND v.entity = f.entity
    AND v.instance = f.vulnerability)
GROUP BY f.entity ORDER BY f.entity"""
_ALERTS: Final = """
SELECT
  stage || ', priority ' || priority || ', on ' || system || ': ' || title AS text,
  [id] AS evidence
FROM open_alerts
WHERE stage = '{}'
  AND (list_contains($roots, system) OR list_has_any(entities, $names))
ORDER BY priority DESC, id"""
_BETWEEN: Final = "list_contains($callers, from_entity) AND list_contains($targets, to_entity)"
_STATED: Final = f"""
SELECT id, from_entity || ' ' || relation || ' ' || to_entity AS said FROM edges
WHERE declared AND valid_to IS NULL AND {_BETWEEN}"""
_APPROVED: Final = """
SELECT name FROM unnest(CAST($targets AS VARCHAR[])) AS target(name)
WHERE len(list_filter(CAST($approved AS VARCHAR[]), lambda pattern: name GLOB pattern)) > 0"""
_SILENT: Final = f"NOT EXISTS ({_STATED}) AND NOT EXISTS ({_APPROVED})"
_SEEN: Final = f"SELECT id FROM edges WHERE observed AND valid_to IS NULL AND {_BETWEEN}"

RULES: Final = (
    Rule(
        "warning_open",
        "deny",
        "an alert of stage warning is open on the AI system of the agent, the tool or its server,"
        " or names one of those who take part",
        _ALERTS.format("warning"),
    ),
    Rule(
        "critical_open",
        "deny",
        "a fact of severity critical is open on one of those who take part",
        _FACTS.format("critical"),
    ),
    Rule(
        "withdrawn",
        "deny",
        "somebody declared that the agent, or what runs it, has this tool or server, and has taken"
        " that back",
        f"""
        SELECT
          'no longer declared since ' || strftime(max(valid_to), '%Y-%m-%dT%H:%M:%SZ') || ': '
            || from_entity || ' ' || relation || ' ' || to_entity AS text,
          list_sort(list(id)) AS evidence
        FROM edges WHERE declared AND valid_to IS NOT NULL AND {_BETWEEN}
          AND NOT EXISTS ({_STATED})
        GROUP BY from_entity, relation, to_entity ORDER BY ALL""",
    ),
    Rule(
        "deleted",
        "deny",
        "one of those who take part was deleted",
        """
        SELECT 'deleted on ' || strftime(since, '%Y-%m-%dT%H:%M:%SZ') || ': ' || entity AS text,
          [entity] AS evidence
        FROM deletions WHERE until IS NULL AND list_contains($names, entity) ORDER BY ALL""",
    ),
    Rule(
        "unseen",
        "unknown",
        "the store has never heard of the agent, the tool, the server, the model or the principal;"
        " a session may be new",
        """
        SELECT 'never seen: ' || name AS text, CAST([] AS VARCHAR[]) AS evidence
        FROM (SELECT unnest(CAST($unseen AS VARCHAR[])) AS name)""",
    ),
    Rule(
        "watch_open",
        "warn",
        "an alert of stage watch is open there",
        _ALERTS.format("watch"),
    ),
    Rule(
        "high_open",
        "warn",
        "a fact of severity high is open on one of those who take part",
        _FACTS.format("high"),
    ),
    Rule(
        "undeclared",
        "warn",
        "the agent has used the tool or its server before, and nobody declared or approved that",
        f"""
        SELECT
          'at work and never declared: ' || from_entity || ' ' || relation || ' ' || to_entity
            AS text,
          [id] AS evidence
        FROM edges WHERE id IN ({_SEEN}) AND {_SILENT} ORDER BY text""",
    ),
    Rule(
        "unused",
        "warn",
        "the agent is not known to use the tool or its server, and nobody declared or approved it",
        f"""
        SELECT $callers[1] || ' is not known to use ' || $targets[1] AS text,
          CAST([] AS VARCHAR[]) AS evidence
        WHERE NOT EXISTS ({_SEEN}) AND {_SILENT}""",
    ),
    Rule(
        "shadow",
        "warn",
        "the agent, the tool, its server or the model is shadow AI: at work, and nobody declared or"
        " approved it",
        f"""
        SELECT 'shadow AI: ' || entity AS text, [entity] AS evidence
        FROM ({SHADOW}) WHERE list_contains($names, entity) ORDER BY entity""",
    ),
    Rule(
        "declared",
        "allow",
        "somebody declared that the agent, or what runs it, has this tool or its server",
        f"SELECT 'declared: ' || said AS text, [id] AS evidence FROM ({_STATED}) ORDER BY said",
    ),
    Rule(
        "approved",
        "allow",
        "a pattern of [inventory] approved names the tool or its server",
        f"SELECT 'approved: ' || name AS text, CAST([] AS VARCHAR[]) AS evidence FROM ({_APPROVED})"
        " ORDER BY name",
    ),
)

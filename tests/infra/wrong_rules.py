"""Rules that are wrong, each in its own way, and what is to be said of each: file, line, mend."""

from typing import Final

HEAD: Final = "title: Wrong\nlogsource: {product: aws, service: cloudtrail}\n"

# By file: its text, and the lines that name what is wrong with it.
WRONG: Final[dict[str, tuple[str, list[str]]]] = {
    "type.yml": (
        HEAD + "level: 5\ndetection:\n  s:\n    eventName: x\n  condition: s\n",
        [
            (
                "type.yml:3: `level`: input should be 'informational', 'low', 'medium', 'high' or "
                "'critical'"
            )
        ],
    ),
    "modifier.yml": (
        HEAD + "detection:\n  s:\n    eventName|beginswith: x\n  condition: s\n",
        ["modifier.yml:5: there is no modifier `beginswith`"],
    ),
    "lookahead.yml": (
        HEAD + "detection:\n  s:\n    eventName|re: ^(?!Describe)\n  condition: s\n",
        [
            (
                "lookahead.yml:5: Regular expression '^(?!Describe)' is invalid: RE2 has no "
                "lookahead `(?!`: say in a selection behind `not` what must not be there"
            )
        ],
    ),
    "backreference.yml": (
        HEAD + "detection:\n  s:\n    eventName|re: (a)\\1\n  condition: s\n",
        [
            (
                "backreference.yml:5: Regular expression '(a)\\1' is invalid: RE2 has no "
                "backreference `\\1`: write out what is repeated"
            )
        ],
    ),
    "bracket.yml": (
        HEAD + "detection:\n  s:\n    eventName|re: '(a'\n  condition: s\n",
        ["bracket.yml:5: Regular expression '(a' is invalid: missing ): (a"],
    ),
    "selection.yml": (
        HEAD + "detection:\n  s:\n    eventName: x\n  condition: s and other\n",
        ["selection.yml:6: there is no selection `other`"],
    ),
    "grammar.yml": (
        HEAD + "detection:\n  s:\n    eventName: x\n  condition: s and\n",
        ["grammar.yml:6: the condition wants the name of a selection where it ends"],
    ),
    "ring.yml": (
        (
            "title: Ring\nname: ring\ncorrelation:\n  type: event_count\n  rules: [ring]\n"
            "  timespan: 5m\n  condition: {gte: 2}\n"
        ),
        ["ring.yml:5: the references go in a circle: ring -> ring"],
    ),
    "missing.yml": (
        (
            "title: Missing\nname: missing\ncorrelation:\n  type: event_count\n"
            "  rules:\n    - nowhere\n  timespan: 5m\n  condition: {gte: 2}\n"
        ),
        ["missing.yml:6: `nowhere` is no rule that is loaded"],
    ),
    "timespan.yml": (
        (
            "title: Timespan\nname: timespan\ncorrelation:\n  type: event_count\n"
            "  rules: [twin]\n  timespan: five minutes\n  condition: {gte: 2}\n"
        ),
        ["timespan.yml:6: `correlation.timespan`: not a duration like 30s, 15m, 24h or 7d: "],
    ),
    "tag.yml": (
        HEAD + "detection:\n  s:\n    eventName: !!python/object:os.system x\n  condition: s\n",
        ["tag.yml:5: the tag `tag:yaml.org,2002:python/object:os.system` is not taken"],
    ),
    "alias.yml": (
        "a: &a [x, x]\nb: &b [*a, *a]\n" + HEAD,
        ["alias.yml:2: aliases (`*name`) are not taken: write the value out"],
    ),
    "twice.yml": (
        HEAD + "detection:\n  s:\n    eventName: x\n    eventName: y\n  condition: s\n",
        ["twice.yml:6: `eventName` is given twice: the first would be lost"],
    ),
    "twin.yml": (
        (
            "title: One\nname: twin\nlogsource: {product: aws}\ndetection:\n  s: {eventName: x}\n"
            "  condition: s\n---\ntitle: Two\nname: twin\nlogsource: {product: aws}\n"
            "detection:\n  s: {eventName: y}\n  condition: s\n"
        ),
        ["twin.yml:9: another rule is already called `twin` ("],
    ),
    "kind.yml": (
        "title: Kind\nlogsource: {product: aws}\n",
        ["kind.yml:1: a rule has exactly one of the keys "],
    ),
    "yaml.yml": ("title: [\n", ["yaml.yml:2: not YAML: "]),
    "depth.yml": (
        "a: " + "[" * 40 + "]" * 40 + "\n",
        ["depth.yml:1: nested deeper than 32 levels"],
    ),
    "atr.yml": (
        (
            "title: A threat\nid: ATR-0000-00001\nstatus: experimental\nseverity: high\n"
            "agent_source: {type: llm_io}\ndetection:\n  condition: any\n  conditions:\n"
            "    - field: dream\n      operator: regex\n      value: x\n"
        ),
        ["atr.yml:9: `dream` is none of the fields content, "],
    ),
}

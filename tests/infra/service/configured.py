"""The configuration of live runs: an HTTP input, a rule that every answer of a model matches."""

from __future__ import annotations

from correlators.ruleset import builtin

BUILTIN = sum(1 for _ in builtin())  # rules that come with it, one a file
RULE = """\
title: A model answered
name: answered
level: high
logsource: {product: barograph, service: otel}
detection: {s: {gen_ai.operation.name: chat}, condition: s}
"""
CONFIG = """\
[rules]
paths = ["answered.yml"]

[server]
port = 0

[[input]]
name = "web"
kind = "http"
port = 0
"""

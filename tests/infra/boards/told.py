"""Runs the commands that it is told on stdin, in the environment of grafana-client.

One JSON line for each: `argv`, `cwd` and `env` in; exit code, stdout and stderr out.
"""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout

from infra.cli import main

for line in sys.stdin:
    told = json.loads(line)
    os.chdir(told["cwd"])
    os.environ.update(told["env"])
    out, said = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(said):
        code = main(told["argv"])
    sys.stdout.write(f"{json.dumps([int(code), out.getvalue(), said.getvalue()])}\n")
    sys.stdout.flush()

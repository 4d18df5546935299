"""python -m infra.dev.opensearch fetch | run: get its jars, or run one node until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.dev.jars import OPENSEARCH, jars
from infra.dev.opensearch.node import Node, jdk
from infra.exits import Exit
from schemas.errors import Unavailable


def main(arguments: Sequence[str]) -> Exit:
    """Do what the first argument says; the node's url goes to stdout."""
    parser = argparse.ArgumentParser(prog="python -m infra.dev.opensearch", description=__doc__)
    parser.add_argument("verb", choices=["fetch", "run"])
    parser.add_argument("--folder", type=Path, default=Path(".opensearch"), help="of its data")
    parser.add_argument("--port", type=int, default=9200, help="default: 9200; 0: a free one")
    args = parser.parse_args(arguments)
    try:
        jdk()
        jars(OPENSEARCH)
        if args.verb == "run":
            _run(Node(args.folder.absolute(), {"http.port": args.port}))
    except Unavailable as error:
        print(f"barograph: {error}", file=sys.stderr)
        return Exit.UNAVAILABLE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return Exit.OK


def _run(node: Node) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        node.start()
        print(node.url, flush=True)
        signal.pause()
    finally:
        node.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

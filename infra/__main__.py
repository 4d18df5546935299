"""Lets `python -m infra` be `barograph`."""

import sys

from infra.cli import main

sys.exit(main())

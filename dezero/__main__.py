"""``python -m dezero``: the command line."""

from __future__ import annotations

import sys

from dezero.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""``python -m studio.runtime``: the same commands that the zip application has on a target."""

from __future__ import annotations

import sys

from .main import main

if __name__ == "__main__":
    sys.exit(main())

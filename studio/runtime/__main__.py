"""``python -m studio.runtime``: the same commands that the zip application has on a target."""

from __future__ import annotations

import sys

if not getattr(sys.flags, "safe_path", False):  # since Python 3.11
    del sys.path[0]  # the current folder, where a numpy.py of somebody else may lie

from .main import main

if __name__ == "__main__":
    sys.exit(main())

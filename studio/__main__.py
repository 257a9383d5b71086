"""``python -m studio``: the ``studio`` command, from a Python whose scripts are not in the PATH."""

from __future__ import annotations

import sys

if not sys.flags.safe_path:
    del sys.path[0]  # the current folder, where a numpy.py of somebody else may lie

from studio.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

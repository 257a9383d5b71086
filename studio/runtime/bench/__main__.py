"""The bench as a module of its own (``python -m studio.runtime.bench``)."""

from __future__ import annotations

import sys

from . import main

sys.exit(main(sys.argv[1:]))

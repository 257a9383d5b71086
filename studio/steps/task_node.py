"""The program of a node, which a feature brings: ``python -m studio.steps.task_node``."""

from __future__ import annotations

import sys
from collections.abc import Callable

from studio.feature_host import Slot

_PROGRAMS: Slot[Callable[[], int]] = Slot("programs of nodes")


if __name__ == "__main__":
    for program in _PROGRAMS.added():
        sys.exit(program())
    sys.exit("This installation does no tasks of other computers.")

"""``python -m tests.robot``: what a robot found, as JSON; 1 when it found anything."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def main() -> int:
    """Run one session."""
    parser = argparse.ArgumentParser(prog="python -m tests.robot", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    from tests.robot.session import run

    with tempfile.TemporaryDirectory(prefix="edgewright-robot-") as folder:
        place = Path(folder) / "a" / "b" / "c"  # what it writes to ../../x stays inside
        place.mkdir(parents=True)
        os.chdir(place)
        os.environ["EDGEWRIGHT_HOME"] = str(Path(folder) / "home")
        found = run(Path(folder) / "home", arguments.minutes * 60, arguments.seed)
    print(json.dumps(found, indent=2))
    return int(bool(found["exceptions"] or found["unconfirmed"]))


if __name__ == "__main__":
    sys.exit(main())

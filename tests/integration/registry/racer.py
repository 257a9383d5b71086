"""A studio that changes a shared registry over and over, and notes what was saved.

``racer.py FOLDER NAME ROUNDS START``: the folder of its registry, its name, and the second at which
the first round begins. It appends a line to ``FOLDER/../saved`` after each round.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from studio.api import StudioError, TargetSpec
from studio.registry import Registry

PERIOD_S = 0.06
"""The time between the rounds of two studios that race."""


def change(registry: Registry, name: str, number: int) -> None:
    """Make one change of each kind that reads before it writes."""
    file = registry.folder.parent / f"{name}-{number}.onnx"
    file.write_bytes(f"weights of {name} {number}".encode())
    model = registry.add_model("race")
    artifact = registry.adopt(file)
    variant = registry.add_variant(model, "fp32", artifact, format="onnx", precision="fp32")
    bundle = registry.folder.parent / f"{name}-{number}"
    bundle.mkdir(exist_ok=True)
    (bundle / "manifest.json").write_text(f"{name} {number}")
    kept = registry.adopt(bundle)
    version = registry.add_version(model, variant.id, kept, f"{name}-{number}", number)
    registry.ledger.move_alias(model, "prod", version.id, why=name, evidence={}, by=name)
    registry.add_release("board", version.id, version.digest, "serving", {"by": name})
    registry.add_target(TargetSpec(f"{name}-{number}", "ssh://board"))
    members = registry.groups.all().get(name, [])
    registry.groups.set(name, [*members, f"{name}-{number}"])


def main() -> None:
    """Run the rounds."""
    folder, name, rounds, start = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    registry = Registry.open(folder)
    known = {one.digest for one in registry.versions()}
    numbers = [n for n in range(rounds) if f"{name}-{n}" not in known]
    with (folder.parent / "saved").open("a") as saved:
        for at, number in enumerate(numbers):
            time.sleep(max(0.0, float(start) + at * PERIOD_S - time.time()))
            begun = time.time()
            try:
                change(registry, name, number)
            except StudioError as error:
                print(error.message, file=sys.stderr)
                continue
            saved.write(f"{name}-{number} {begun} {time.time()}\n")
            saved.flush()
            os.fsync(saved.fileno())
    registry.close()


if __name__ == "__main__":
    main()

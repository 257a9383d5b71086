"""All benches of this folder, one after the other, as one JSON document.

Each ``bench_*.py`` is a program that prints a JSON document of its own, with a named peer that it
measured in the same run; it can be called alone, with options.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Run them and print; 1 when one of them failed."""
    benches: dict[str, object] = {}
    failed = False
    for script in sorted(HERE.glob("bench_*.py")):
        name = script.stem.removeprefix("bench_")
        print(f"{name} ...", file=sys.stderr, flush=True)
        # As a module, so that benches can share code; what they say besides goes to stderr.
        done = subprocess.run(
            [sys.executable, "-m", f"tests.benchmarks.{script.stem}"],
            cwd=HERE.parents[1], stdout=subprocess.PIPE, text=True, timeout=1800, check=False,
        )  # fmt: skip
        failed = failed or done.returncode != 0
        benches[name] = json.loads(done.stdout) if done.returncode == 0 else None
    print(json.dumps({"machine": machine(), "benches": benches}, indent=1))
    return 1 if failed else 0


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


if __name__ == "__main__":
    sys.exit(main())

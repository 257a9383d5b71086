"""``make fuzz MINUTES=10``: every target for its share; ends with 1 when anything is found."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path

from tests.fuzzing import campaign
from tests.fuzzing.engines import find_atheris
from tests.fuzzing.target import REAL_MODELS, names
from tests.fuzzing.targets.real import VARIABLE


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="of the whole (10)")
    parser.add_argument("--only", action="append", default=[], help="a target, several times")
    parser.add_argument("--cases", type=int, default=0, help="most cases of each target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plain", action="store_true", help="without coverage")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--models", type=Path, help=f"a folder of models for {REAL_MODELS}")
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"))
    given = parser.parse_args()
    if given.models is not None:
        os.environ[VARIABLE] = str(given.models.resolve())
    targets = given.only or names()
    unknown = set(targets) - {*names(), REAL_MODELS}
    if unknown or (REAL_MODELS in targets and VARIABLE not in os.environ):
        parser.error(f"no target {sorted(unknown)[0]}" if unknown else "give --models FOLDER")
    share = 60.0 * given.minutes * given.processes / max(len(targets), given.processes)
    plan = campaign.Plan(
        given.out.absolute(), share, given.cases, given.seed, given.plain or REAL_MODELS in targets
    )
    summary = {
        "engine": "atheris" if not plan.plain and find_atheris() else "plain mutation",
        "python": platform.python_version(),
        "processor": platform.machine(),
        "load": os.getloadavg()[0],
        **campaign.run(
            targets, plan, given.processes, lambda text: print(text, file=sys.stderr, flush=True)
        ),
    }
    text = json.dumps(summary, indent=1, sort_keys=True)
    (given.out / "summary.json").write_text(text + "\n")
    print(text)
    return 0 if campaign.is_clean(summary) else 1


if __name__ == "__main__":
    sys.exit(main())

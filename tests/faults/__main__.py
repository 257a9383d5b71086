"""``make faults``: the campaign, its counts as text and as JSON; ends non-zero on any violation."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from tests.faults import campaign
from tests.faults.points import traces


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--only", action="append", choices=campaign.PARTS, default=[])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", action="store_true", help="a little of each, a minute")
    parser.add_argument("--processes", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("build/faults.json"))
    given = parser.parse_args()
    if not traces() or os.geteuid() != 0:
        print("The fault campaign needs strace and root.", file=sys.stderr)
        return 1
    parts = given.only or campaign.PARTS
    chosen = list(
        campaign.sample(given.seed) if given.sample else campaign.works(parts, given.seed)
    )
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        done = campaign.run(
            chosen,
            Path(folder),
            whole=not given.sample,
            processes=given.processes,
            tell=lambda text: print(text, file=sys.stderr, flush=True),
        )
    _print(done)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(done.to_json(), indent=1, sort_keys=True) + "\n")
    print(json.dumps(done.to_json(), sort_keys=True))
    return 1 if done.violations else 0


def _print(done: campaign.Campaign) -> None:
    """The counts for people."""
    for name, tally in sorted(done.tallies.items()):
        print(f"{name}: {tally.total} points", file=sys.stderr)
        for outcome, count in sorted(tally.outcomes.items()):
            print(f"  {count:5} {outcome}", file=sys.stderr)
    for violation in done.violations:
        print(f"VIOLATION: {violation}", file=sys.stderr)
    total = sum(tally.total for tally in done.tallies.values())
    print(
        f"{total} faults, {len(done.violations)} violations, {done.seconds:.0f} s", file=sys.stderr
    )


if __name__ == "__main__":
    sys.exit(main())

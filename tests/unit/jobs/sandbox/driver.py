"""The ways out tried in a real worker, started by whoever runs this: root or another user.

    python -m tests.unit.jobs.sandbox.driver ARGUMENTS

The arguments of the work come as JSON, with ``base`` for the studio's folders. It prints JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from studio.jobs import Containment, JobRunner, JobSpec
from studio.jobs.sandbox.bubblewrap import working_bubblewrap
from studio.jobs.sandbox.level import by_bubblewrap
from studio.settings import Paths


class RootsRunner(JobRunner):
    """Runs jobs as on a machine whose root has bubblewrap and no user namespaces."""

    @property
    def containment(self) -> Containment:
        """What its walls enforce."""
        found = working_bubblewrap()
        assert found is not None
        return by_bubblewrap(replace(found, user_namespace=False))


def main() -> int:
    """Run the one job."""
    given = json.loads(sys.argv[1])
    base = Path(given["base"])
    (base / "store").mkdir()
    kind = RootsRunner if given.get("without_user_namespace") else JobRunner
    runner = kind(Paths.of(home=base / "studio"), store=base / "store")
    reads = (Path(given["model"]), Path(__file__).parent)
    spec = JobSpec("ways", "Ways", "tests.unit.jobs.sandbox.ways:try_all", given, reads=reads)
    outcome = runner.start(spec).wait()
    runner.close()
    assert outcome is not None
    held = runner.containment
    print(
        json.dumps(
            {
                "level": held.value,
                "means": held.means,
                "protections": {one.name: one.enforced.value for one in held.protections},
                "sentence": outcome.sentence,
                "detail": outcome.detail,
                **outcome.result,
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

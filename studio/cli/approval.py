"""Steps that wait for the approval of a second person before they start."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from studio.api import Refused
from studio.cli.output import print_note
from studio.jobs import JobOutcome
from studio.plans import PlanRequest
from studio.plans.texts import shown
from studio.workspace import Workspace

_EVERY_S = 1.0


def run_approved(opened: Workspace, step: str, options: Mapping[str, Any]) -> JobOutcome:
    """Make the plan of a step, wait until it is approved, and carry it out.

    Ctrl-C leaves the plan waiting; ``studio plan apply`` resumes then.

    Raises:
        Refused: when the plan is rejected, expires, or no longer fits.
    """
    made = opened.plans.make(PlanRequest(step, options))
    for line in shown(made):
        print_note(line)
    print_note(f"A second person approves it: studio plan approve {made.digest}")
    if opened.plans.is_shared(made.digest):
        print_note("Approvers of the shared registry see it: studio plan list")
    else:
        print_note(f"At another computer: studio plan export {made.digest[:12]}")
    print_note(f"After Ctrl-C it still waits. Then resume with: studio plan apply {made.digest}")
    while (entry := opened.plans.one(made.digest)).state == "waiting":
        time.sleep(_EVERY_S)
    if entry.state == "approved":
        print_note(f"Approved by {entry.by}.")
        return opened.plans.run(made.digest)
    if entry.state == "rejected":
        raise Refused(f"{entry.by} rejected the plan.", hint="Make a new plan.")
    raise Refused(f"Plan {made.digest[:12]} is {entry.state}.", hint="Make a new plan.")

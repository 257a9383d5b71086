"""What came of a run of a project's pipeline, in a sentence with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.registry.run_records import GateReport, RunJournal, StepReport
from studio.workspace import RunInfo, run_end

DROP = GateReport("int8 loses a point at most", False, 0.03, "at most 0.01")
FAILED = GateReport("No request failed", False, 2.0, "at most 0")
PASSED = GateReport("No request failed", True, 0.0, "at most 0")
UNKNOWN = GateReport("No request failed", False, None, "at most 0")
DEPLOYED = StepReport("deploy", "deploy", "succeeded")


def run(
    state: str, *, steps: tuple[StepReport, ...] = (), gates: tuple[GateReport, ...] = ()
) -> RunInfo:
    journal = RunJournal(steps=steps, gates=gates)
    return RunInfo("digits-1", "digits", "", state, "", "", Path(), journal)


@pytest.mark.parametrize(
    ("info", "text", "tone"),
    [
        (
            run("succeeded", gates=(PASSED,)),
            "digits int8 is served on this computer. 1 check passed.",
            "good",
        ),
        (
            run("gate not met", gates=(DROP, UNKNOWN)),
            "Check failed: int8 loses a point at most (0.03, at most 0.01). Nothing was deployed.",
            "bad",
        ),
        (
            run("gate not met", steps=(DEPLOYED,), gates=(FAILED,)),
            "Check failed: No request failed (2, at most 0). The model is still served.",
            "bad",
        ),
        (
            run("failed", steps=(StepReport("int8", "quantize", "failed", message="No data."),)),
            "Run it all stopped: No data.",
            "bad",
        ),
        (run("failed"), "Run it all failed.", "bad"),
        (
            run("cancelled"),
            "Run it all was cancelled. Earlier results are kept.",
            "warning",
        ),
    ],
)
def test_a_run_ends_with_a_sentence(info: RunInfo, text: str, tone: str) -> None:
    end = run_end(info)
    assert (end.text, end.tone) == (text, tone)
    assert end.served == (tone == "good")

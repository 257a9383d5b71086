"""The progress of a deployment names the step that runs."""

from __future__ import annotations

from pathlib import Path

from studio.deployment.step_log import StepLog
from tests.rigs.bundles import QuietJob


def test_a_step_replaces_the_progress_of_the_one_before(tmp_path: Path) -> None:
    job = QuietJob(tmp_path / "job")
    reports: list[tuple[float, float, str]] = []
    job.progress = lambda done, total, text="": reports.append((done, total, text))  # type: ignore[method-assign]
    log = StepLog(job)  # type: ignore[arg-type]
    with log.step("transfer"):
        job.progress(61, 61, "Sending: 61 of 61 kB")
    with log.step("switch"):
        assert reports[-1] == (0, 0, "Switch")

"""Messages in the window name options as the window does."""

from __future__ import annotations

import pytest

from studio.gui.option_words import in_window, outcome_in_window
from studio.jobs import End
from studio.steps.catalogue import steps
from studio.workspace import JobOutcome

OPTIONS = steps()["quantize"].form


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Use --search to keep layers in float.", "Use “Layer search” to keep layers in float."),
        ("Give --eval-data with labels.", "Give “Evaluation data” with labels."),
        ("Keep them: --keep-float.", "Keep them: “Keep in float”."),
        ("Unknown --elsewhere stays.", "Unknown --elsewhere stays."),
        ("Run studio quantize MODEL --search.", "Run studio quantize MODEL --search."),
    ],
)
def test_flags_become_titles(text: str, shown: str) -> None:
    assert in_window(text, OPTIONS) == shown


def test_a_failure_has_both_texts_changed_and_a_success_none() -> None:
    failed = JobOutcome(End.FAILED, message="Missing --data.", hint="Use --search.")
    shown = outcome_in_window(failed, OPTIONS)
    assert (shown.message, shown.hint) == ("Missing “Calibration data”.", "Use “Layer search”.")
    done = JobOutcome(End.SUCCEEDED, hint="--search")
    assert outcome_in_window(done, OPTIONS) is done

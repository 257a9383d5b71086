"""The result of the stage Evidence, as the rail shows it."""

from __future__ import annotations

from studio.features.evidence.survey.facade import Evidence
from studio.gui.window.stage_results import StageResult
from studio.workspace import VariantRecord, Workspace


def _sections(workspace: Workspace, variant: VariantRecord) -> str:
    """Return how many sections of evidence there are, once they were read."""
    counts = workspace.service(Evidence).counts.get(variant.id)
    return f"{counts[0]} of {counts[1]}" if counts is not None else ""


RESULT = StageResult("evidence", "evidence", _sections)

"""The next step of the Deploy page, which its primary button names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.gui.pages.shared import target_rows
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.deployment.results import DeployResult
    from studio.workspace import VariantRecord, Workspace


@dataclass(frozen=True, slots=True)
class NextStep:
    """The next step for the selected target.

    Attributes:
        is_done: The current variant serves there, and nothing was checked since.
        replaced: Release of the same model that a deployment replaces: ``v1 int8``.
    """

    is_done: bool = False
    replaced: str = ""

    @classmethod
    def of(
        cls,
        workspace: Workspace,
        target: str,
        variant: VariantRecord | None,
        planned: DeployResult | None,
    ) -> NextStep:
        """Return the next step for a variant where a release runs."""
        running = target_rows.running(workspace.registry.releases(target))
        release = running.release
        if release is None or variant is None or release.facts.name != variant.model_name:
            return cls()
        serving = target_rows.variant_of(workspace, release.version)
        is_same = (
            serving.id == variant.id
            if serving is not None
            else release.facts.variant_name == variant.name  # deployed by another studio
        )
        return cls(is_same and planned is None, "" if is_same else running.name)

    def text(self, place: str, verb: str) -> str:
        """Name the step.

        Args:
            place: The target within a sentence.
            verb: What a click does to the target: a protected one gets a plan at first.
        """
        if self.is_done:
            return f"Monitor {place}"
        if self.replaced and verb == target_rows.DEPLOY_TO:
            return f"Replace {self.replaced} on {place}"
        return f"{verb} {place}"

"""The changes that a deployment makes on a target, its cost, and the verdict of its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.deployment.results import DeployResult
from studio.gui import figures
from studio.gui.pages.deploy.release_details import ReleaseDetails
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.workspace import ReleaseRecord, VariantRecord

HOURS = 730
"""Hours of a month."""

NOTHING = "none"


@dataclass(frozen=True, slots=True)
class ReleaseChange:
    """A property before and after; both are the same where nothing changes."""

    name: str
    before: str
    after: str


def changes(
    running: ReleaseRecord | None,
    served: VariantRecord | None,
    variant: VariantRecord,
    plan: DeployResult | None,
) -> list[ReleaseChange]:
    """Return what would be another, the most important first.

    Args:
        running: The release that serves now; None without one.
        served: Its variant, if this studio still has it.
        plan: The result of the dry run; None before it.
    """
    details = ReleaseDetails.of(running) if running is not None else ReleaseDetails()
    before = f"v{details.version} {details.variant_name}".strip() if details.version else NOTHING
    version = f"v{plan.version} " if plan is not None and plan.version else ""
    found = [ReleaseChange("Version", before, f"{version}{variant.name}")]
    if running is None or details.name != variant.model_name:
        found.insert(0, ReleaseChange("Model", details.name or NOTHING, variant.model_name))
    if served is not None and served.precision != variant.precision:
        found.append(ReleaseChange("Precision", served.precision, variant.precision))
    if served is not None and served.size != variant.size:
        sizes = figures.size(served.size), figures.size(variant.size)
        found.append(ReleaseChange("Model size", *sizes))
    return found


def cost_lines(plan: DeployResult) -> list[tuple[str, str]]:
    """Return the cost of a release in pairs of name and value; empty where none is known."""
    if not isinstance(plan.cost_per_hour, (int, float)):
        return []
    currency = plan.currency or ""
    hour, month = plan.cost_per_hour, plan.cost_per_hour * HOURS
    return [
        ("Cost while it runs", f"{hour:,.2f} {currency} an hour"),
        ("A month", f"{month:,.0f} {currency}"),
    ]


def verdict(plan: DeployResult) -> tuple[str, str]:
    """Return the outcome of the checks of a plan in words, and its tone."""
    states = [step.state for step in plan.steps]
    passed = sum(state in ("checked", "done") for state in states)
    warned = states.count("warning")
    blocked = sum(state in ("blocked", "failed") for state in states)
    of = passed + warned + blocked
    if blocked or not plan.possible:
        return f"{figures.count(max(blocked, 1), 'check')} failed", "bad"
    if warned:
        return f"{passed} of {of} checks passed", "warning"
    return (f"{passed} of {of} checks passed" if of else "no checks"), "good"

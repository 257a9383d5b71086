"""The step that records the decision of a person instead of a model's answer."""

from __future__ import annotations

from studio.api import Kind, Permission, TargetSpec
from studio.jobs import Limits, Step
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.monitoring.endpoint.results import RecordedOverride


@dataclass(frozen=True, kw_only=True)
class OverrideOptions:
    """Options of the step."""

    target: TargetSpec = option(
        kind=Kind.TARGET, positional=True, help="Target name, or TARGET/NAME for one endpoint."
    )
    request: str = option(
        positional=True, help="Request of the answer: value of its header Edgewright-Request."
    )
    decision: str = option(help="Decision that replaces the answer.")
    reason: str = option(help="Reason for the decision.")
    by: str | None = option(None, help="Name of the person (default: the user's name).")


OVERRIDE: Step[OverrideOptions, RecordedOverride] = Step(
    name="decisions-override",
    title="Override an answer",
    summary="Record the decision of a person instead of an answer that a target has recorded.",
    options=OverrideOptions,
    result=RecordedOverride,
    work="studio.monitoring.endpoint.override:override",
    texts="studio.monitoring.texts:overridden",
    needs=frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS}),
    limits=Limits(seconds=300),
)

"""Overrides of recorded answers, sent to the server that gave them."""

from __future__ import annotations

from contextlib import closing

from studio.api import UsageError
from studio.jobs import Job
from studio.monitoring.endpoint.client import InferenceClient
from studio.monitoring.endpoint.endpoint import reached
from studio.monitoring.endpoint.override_step import OverrideOptions
from studio.monitoring.endpoint.results import RecordedOverride
from studio.settings.user import user_name


def override(options: OverrideOptions, job: Job) -> RecordedOverride:
    """Record the decision of a person on an answer, as a step's work.

    Raises:
        UsageError: when the name of the person is not known.
        TargetError: when the server keeps no record, or has no such request.
    """
    by = options.by or user_name()
    if not by:
        raise UsageError("The name of the person is missing.", hint="Name it with --by.")
    texts = {
        "request": options.request,
        "decision": options.decision,
        "reason": options.reason,
        "by": by,
    }
    with (
        reached(options.target, job) as endpoint,
        closing(InferenceClient(endpoint)) as client,
    ):
        model = client.model().name
        entry = client.override(model, texts)
    return RecordedOverride(
        options.target.name, model, options.request, options.decision, by, entry
    )

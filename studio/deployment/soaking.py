"""The rule of a quality soak as it is given on a command line or in a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.api import UsageError
from studio.runtime.release.errors import ReleaseError
from studio.runtime.release.quality import rule_of

USUAL_S = 1.0
"""The soak's own default: nothing can be decided in it."""
TRIAL_S = 300.0
"""At most, where no other time is given: a trial ends as soon as it is decided."""


def trial_s(arguments: Mapping[str, Any], rule: Mapping[str, str] | None) -> float:
    """How long a release is watched at most, in seconds."""
    given = float(arguments.get("soak_s") or 0.0)
    return TRIAL_S if rule is not None and given == USUAL_S else given


def soak_rule(arguments: Mapping[str, Any]) -> dict[str, str] | None:
    """The rule's own values; None where quality is not judged.

    Raises:
        UsageError: for a value that it cannot have, or a name that it does not know.
    """
    given = [str(pair) for pair in arguments.get("soak_rule") or ()]
    if not arguments.get("quality") and not given:
        return None
    rule: dict[str, str] = {}
    for pair in given:
        name, sign, value = pair.partition("=")
        if not sign:
            raise UsageError(f"A soak rule is NAME=VALUE, not {pair!r}.")
        rule[name.strip()] = value.strip()
    try:
        rule_of(rule)
    except ReleaseError as error:
        raise UsageError(error.message, hint=error.hint) from None
    return rule

"""The rule of a quality soak as it is given on a command line or in a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.api import UsageError
from studio.runtime.release.errors import ReleaseError
from studio.runtime.release.quality import rule_of


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

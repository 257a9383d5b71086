"""Lines for people about the variables of an app on a target."""

from __future__ import annotations

from studio.documents.text_table import table
from studio.features.apps.variables.results import AppVariablesResult, TargetVariable

_ORIGINS = {"board": "this target", "app": "app.toml", "missing": "no value"}


def lines(result: AppVariablesResult) -> list[str]:
    """Return the variables, and what was done."""
    done = [_done(result)] if result.changed else []
    if result.fault:
        done.append(f"The app does not run: {result.fault}")
    if not result.variables:
        return done or [f"{result.app or result.target} has no variables."]
    rows = [_row(one) for one in result.variables]
    return [*done, *table(("variable", "value", "from"), rows)]


def _done(result: AppVariablesResult) -> str:
    if result.restarted:
        return f"The variables of {result.target} were changed, and the app restarted with them."
    return f"The variables of {result.target} were changed. The app takes them at its next start."


def _row(one: TargetVariable) -> tuple[str, str, str]:
    note = "" if one.declared else ", not used by this version"
    return one.name, one.value, _ORIGINS.get(one.origin, one.origin) + note

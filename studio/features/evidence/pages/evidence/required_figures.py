"""The required figures of models, from one session to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.gui import session_state as memory

if TYPE_CHECKING:
    from studio.settings import Settings

_KEY = "required figures"


def required_of(settings: Settings, model: str, measured: float | None) -> float | None:
    """Return the required figure of a model.

    Args:
        measured: The one of its measurement, where the user has set none in the window.
    """
    values = _known(settings)
    if model not in values:
        return measured
    value = values[model]
    return float(value) if isinstance(value, int | float) else None


def remember_required(settings: Settings, model: str, value: float | None) -> None:
    """Store the required figure of a model; None for none."""
    memory.store(settings, **{_KEY: {**_known(settings), model: value}})


def _known(settings: Settings) -> dict[str, object]:
    found = memory.recall(settings).get(_KEY)
    return dict(found) if isinstance(found, dict) else {}

"""What the user chose to see of graphs, kept from one session to the next."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from studio.gui import session_state
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.settings import Settings

_KEY = "graph"


@dataclass(frozen=True, slots=True)
class ViewChoices:
    """The choices of how graphs are shown.

    Attributes:
        across: From left to right rather than from top to bottom.
        shapes: Shapes are written on the edges.
        dock: The overview and the legend are shown.
    """

    across: bool = False
    shapes: bool = False
    dock: bool = True


def recall(settings: Settings) -> ViewChoices:
    """Return the stored choices; the usual ones where there are none."""
    stored = session_state.recall(settings).get(_KEY)
    known = stored if isinstance(stored, dict) else {}
    names = [field.name for field in fields(ViewChoices)]
    return ViewChoices(**{name: known[name] is True for name in names if name in known})


def store(settings: Settings, choices: ViewChoices) -> None:
    """Keep the choices."""
    session_state.store(settings, **{_KEY: asdict(choices)})

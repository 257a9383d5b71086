"""Sinks in Python that belong to the app itself, such as one for the pins of a board."""

from __future__ import annotations

from typing import Any, Dict, Mapping, NamedTuple, Sequence

from ..items import Event
from ..own_code import TYPE, load_functions
from ..parts import AppContext, SinkType

DELIVER, CLOSE = "deliver", "close"


class OwnSinkSettings(NamedTuple):
    """Settings of an own sink.

    Attributes:
        file: Python file of the app with a function `deliver(events, state)`; a function
            `close(state)` is called at the end.
        options: Texts that it finds in its state under `options`.
    """

    file: str
    options: Mapping[str, str] = {}


class OwnSink:
    """Calls a function of the app with events as dictionaries.

    What it raises is shown as the state of the sink, and the same events come again later.
    """

    def __init__(self, name: str, settings: OwnSinkSettings, context: AppContext) -> None:
        """Load the file.

        Raises:
            AppError: in one sentence, when it cannot be loaded or has no such function.
        """
        find = load_functions("sinks." + name, context.file(settings.file), DELIVER)
        self._deliver, self._close = find(DELIVER), find(CLOSE)
        self._state: Dict[str, Any] = {"options": dict(settings.options)}

    def deliver(self, events: Sequence[Event]) -> None:
        """Call the function."""
        self._deliver([one.to_json() for one in events], self._state)

    def close(self) -> None:
        """Call the function for the end, if the file has one."""
        self._close(self._state)


TYPES: Dict[str, SinkType] = {
    TYPE: SinkType(TYPE, "Python code of the app", OwnSinkSettings, OwnSink)
}

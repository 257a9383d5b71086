"""Steps in Python that belong to the app itself."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Tuple

from ..items import KINDS, Event, FrameStamp, StepOutput
from ..own_code import TYPE, load_functions
from ..parts import AppContext, StepType, kinds
from ..settings import AppError

FUNCTION = "process"


class OwnSettings(NamedTuple):
    """Settings of an own step.

    Attributes:
        file: Python file of the app with a function ``process(stamp, value, state)``.
        takes: Kind of the values that it is given, where its input gives several.
        gives: Kind of the values that it returns; empty: events alone.
        options: Texts that it finds in its state under ``options``.
    """

    file: str
    takes: str = ""
    gives: str = ""
    options: Mapping[str, str] = {}


class Own:
    """Calls a function of the app for each frame.

    The function returns None, a value, a list of events (dictionaries with ``kind``), or a pair of
    a value and such a list. ``state`` is a dictionary of its own for each source.
    """

    def __init__(self, name: str, settings: OwnSettings, context: AppContext) -> None:
        """Load the file.

        Raises:
            AppError: in one sentence, when it cannot be loaded or has no such function.
        """
        if settings.gives and settings.gives not in KINDS:
            raise AppError("steps.{}: gives is one of {}.".format(name, ", ".join(KINDS)))
        self._name = name
        find = load_functions("steps." + name, context.file(settings.file), FUNCTION)
        self._process = find(FUNCTION)
        self._state: Dict[str, Any] = {"options": dict(settings.options)}

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Call the function.

        Raises:
            TypeError: when it returns something else.
        """
        found = self._process(stamp, value, self._state)
        result, rows = found if isinstance(found, tuple) and len(found) == 2 else (found, None)
        if rows is None and isinstance(result, list):
            result, rows = None, result
        return StepOutput(result, self._events(stamp, rows or []))

    def _events(self, stamp: FrameStamp, rows: List[Any]) -> Tuple[Event, ...]:
        found = []
        for row in rows:
            if not isinstance(row, dict) or not isinstance(row.get("kind"), str):
                raise TypeError("an event is a dictionary with a kind")
            details = {str(key): value for key, value in row.items() if key != "kind"}
            found.append(Event(row["kind"], self._name, stamp, details))
        return tuple(found)


TYPES: Dict[str, StepType] = {
    TYPE: StepType(TYPE, "Python code of the app", kinds(*KINDS), kinds(), OwnSettings, Own)
}

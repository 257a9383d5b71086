"""The pre-flight check of the page: started when it can add something, its findings kept."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.lazy_dataclass import dataclass
from studio.quantization.results import PreflightResult, SpeedupOutlook

if TYPE_CHECKING:
    from studio.gui.shell import Shell
    from studio.workspace import JobOutcome, RunningJob

STEP = "quantize-preview"


@dataclass(frozen=True, slots=True)
class _Estimated:
    """The values of a preset that decide on the time of a layer."""

    method: str = ""
    activations: str = ""


def outlook_key(text: str) -> str:
    """Return what the speed of a preset's variant depends on, of those that can be estimated."""
    try:
        values = from_json(_Estimated, tomllib.loads(text))
    except (tomllib.TOMLDecodeError, InvalidDocument):
        return ""
    return f"{values.method} {values.activations}"


class PreflightCheck(QObject):
    """The check of the data, and the estimate of the speed of int8; each is done once.

    Signals:
        changed: There is a new result.
    """

    changed = Signal()

    def __init__(self, shell: Shell, parent: QObject) -> None:
        super().__init__(parent)
        self._shell = shell
        self._job: RunningJob | None = None
        self._known: dict[tuple[int, str], SpeedupOutlook] = {}
        self._last: tuple[object, ...] = ()
        self._key = (0, "")
        self.result: PreflightResult | None = None

    @property
    def running(self) -> bool:
        """Whether a check is under way."""
        return self._job is not None

    def outlook(self, model: int, text: str) -> SpeedupOutlook | None:
        """Return the estimate for a preset of a model; None before it is known."""
        return self._known.get((model, outlook_key(text)))

    def forget_data(self) -> None:
        """Another model is current: its data are not known yet."""
        self.result = None
        self._last = ()

    def start(self, model: int, given: Mapping[str, str], text: str, options: object) -> bool:
        """Start a check in a worker unless all is known; True if one has started.

        Args:
            model: The number of the float model.
            given: Paths of the data by option.
            text: The preset as TOML.
            options: Further options of the step, as a mapping.
        """
        key = (model, outlook_key(text))
        wants = key not in self._known
        asked = (model, tuple(sorted(given.items())), key)
        if self._job is not None or asked == self._last:
            return False
        self._last, self._key = asked, key
        more = dict(options) if isinstance(options, Mapping) else {}
        self._job = self._shell.start(STEP, **given, **more, outlook=wants, preset=text)
        return self._job is not None

    def cancel(self) -> None:
        """Give way to the work itself."""
        if self._job is not None:
            self._job.cancel()

    def on_event(self, event: object) -> None:
        """Take the result of the check when it has ended."""
        job = self._job
        if job is not None and getattr(event, "job", None) == job and job.outcome is not None:
            self._job = None
            self._take(job.outcome)

    def _take(self, outcome: JobOutcome) -> None:
        if not outcome.ok:
            return
        result: PreflightResult = outcome.result
        if result.outlook is not None:
            self._known[self._key] = result.outlook
        self.result = replace(result, outlook=self._known.get(self._key))
        self.changed.emit()

"""The settings of a study: its boards, then what each of them measures."""

from __future__ import annotations

import math
from collections.abc import Mapping

from studio.api import Option
from studio.features.fleets.pages.studies.picker import BoardPicker
from studio.gui import figures
from studio.gui.current_project import CurrentProject
from studio.gui.forms.editors import Choices
from studio.gui.pages.profile import estimate, modes
from studio.gui.pages.profile.settings import (
    BACKEND,
    MODE,
    MODE_OPTIONS,
    OPERATORS,
    ProfileSettings,
)
from studio.gui.widgets.basics import GRID
from studio.profiling.boards.results import StudyResult

TARGET = "target"
RESUME = "resume"


_LEFT_OUT = {TARGET, RESUME, MODE} | (MODE_OPTIONS - set(modes.OPTIONS[modes.LATENCY]))
"""Boards have a choice of their own, and they are compared by their latency."""


class StudySettings(ProfileSettings):
    """The settings of a profile, with boards in place of a target.

    Attributes:
        picker: The boards.
    """

    def __init__(
        self, options: tuple[Option, ...], choices: Choices, project: CurrentProject
    ) -> None:
        own = tuple(one for one in options if one.name not in _LEFT_OUT)
        super().__init__(own, choices, project)
        self.picker = BoardPicker()
        self.card.body.insertWidget(0, self.picker)
        self.card.body.insertSpacing(1, GRID // 2)
        self.form.set_values({OPERATORS: False})
        self.again.hide()  # the page's button does it
        self.picker.changed.connect(self.changed)

    def seconds(self) -> float:
        """Return about how long the study takes, as if no two boards were one machine."""
        options = {name: field.editor.value() for name, field in self.form.fields.items()}
        at_once = max(1, int(figures.number(options.get("parallel")) or 1))
        turns = math.ceil(len(self.picker.boards()) / at_once)
        return turns * estimate.seconds(estimate.RunPlan.read(options))

    def values(self) -> dict[str, object]:
        """Return the options of a study."""
        return {**super().values(), TARGET: self.picker.words()}


def study_line(
    result: StudyResult, options: Mapping[str, object], backends: Mapping[str, str]
) -> str:
    """Return the settings of a study: boards, backends, time."""
    given = options.get(BACKEND)
    named = given if isinstance(given, list | tuple) else [given]
    time = figures.number(options.get("seconds"))
    parts = [
        figures.count(len(result.boards), "board"),
        *(backends.get(str(one), str(one)) for one in named if one),
        f"{time:g} s on each" if time else "",
    ]
    return " · ".join(part for part in parts if part)

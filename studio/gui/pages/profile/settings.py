"""The settings of a profile: a form before the first run, one line after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from studio.api import Kind, Option
from studio.gui.current_project import CurrentProject
from studio.gui.forms.editors import Choices
from studio.gui.forms.form import Form, share_place
from studio.gui.pages.profile import modes, rows
from studio.gui.pages.profile.dynamic_shapes import DynamicShapes
from studio.gui.widgets.basics import GRID, Card, button, label, row
from studio.profiling.results import ProfileResult

BACKEND = "backend"
MODE = "mode"
SHAPES = "shapes"
DATA = "data"
OPERATORS = "operators"
IN_FRONT = ("model", BACKEND, "target", MODE, "threads", "seconds", "streams", "batch", "minutes",
            "p99_limit_ms", "prompt_tokens", "answer_tokens", "contexts", OPERATORS,
            DATA)  # fmt: skip
COLUMNS = 4
MODE_OPTIONS = frozenset(name for names in modes.OPTIONS.values() for name in names)
"""Options that mean something in some modes only."""

MODE_TITLES = ("Latency", "Throughput", "Open loop", "Sustained load", "Tokens")

OPERATORS_COST = (
    "Adds about 50 inferences of each variant after the rounds. The latencies are measured without."
)

_ONE_PLACE = (
    *(("seconds", "minutes"), ("batch", "p99_limit_ms"), ("batch", "contexts")),
    *(("target", "prompt_tokens"), (MODE, "answer_tokens")),
)
"""Options that are never shown at the same time, with those whose place they have."""

_NOT_OF_LANGUAGE = ("target", MODE, OPERATORS, DATA)
"""Options in front that mean nothing for a language model."""

_OF_THE_MODEL = ("model", "models", DATA, SHAPES)
"""Options that are not taken over from an earlier run."""

_LOAD = {
    modes.LATENCY: "single stream",
    "throughput": "throughput",
    "open-loop": "open loop",
    "sustained": "sustained load",
    modes.TOKENS_MODE: "tokens",
}


class ProfileSettings(QWidget):
    """The form, which folds into a line once there is a result.

    Signals:
        changed: A value is another one, or the form was folded or unfolded.
        submitted: Enter in a field.
        again_asked: The run is to be made again with these settings.

    Attributes:
        sizes: The sizes that the model leaves open, for a project without a sample.
    """

    changed = Signal()
    submitted = Signal()
    again_asked = Signal()

    def __init__(
        self, options: tuple[Option, ...], choices: Choices, project: CurrentProject
    ) -> None:
        super().__init__()
        self._offered: set[str] = set()
        self.model = next(one.name for one in options if one.kind is Kind.MODEL)
        self.form = Form(_ordered(options), choices, columns=COLUMNS, project=project)
        for name, other in _ONE_PLACE:
            if not {name, other} <= self.form.fields.keys():
                continue  # a study has its boards in place of a target
            share_place(self.form.fields[name], self.form.fields[other])
        self.form.set_values({OPERATORS: True})
        self.form.fields[OPERATORS].explain(OPERATORS_COST)
        self.sizes = DynamicShapes()
        self.line = QWidget()
        self.text = label("", "small", wrap=True)
        self.change = button("Change", self._flip, "link")
        self.change.setAccessibleName("Change the settings")
        self.again = button("Profile again", self.again_asked.emit, "link")
        self.card = Card()
        self.card.setAccessibleName("Settings")
        self._has_open_sizes = False
        self._is_language = False
        self._default = next(one.default[0] for one in options if one.name == BACKEND)
        self._folded = False
        self._build()
        self.form.changed.connect(self._edited)
        self.form.submitted.connect(self.submitted)
        if MODE in self.form.fields:
            self.form.fields[MODE].changed.connect(self._show_mode)
        self._show_mode()
        self.fold(False)

    def _build(self) -> None:
        content = row(self.text, self.change, self.again, spacing=2 * GRID)
        content.setStretch(0, 1)
        self.line.setLayout(content)
        self.card.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.card.body.addWidget(self.form)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        for part in (self.line, self.card, self.sizes):
            layout.addWidget(part)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    # Folding

    @property
    def is_folded(self) -> bool:
        """Whether the form is hidden."""
        return self._folded

    def fold(self, folded: bool) -> None:
        """Show the line alone, or the form."""
        self._folded = folded
        self.card.setHidden(folded)
        self.change.setText("Change" if folded else "Hide settings")
        self._show_sizes()

    def show_line(self, text: str) -> None:
        """Show the settings of the last run; empty before the first one."""
        self.text.setText(text)
        self.line.setVisible(bool(text))

    def _flip(self) -> None:
        self.fold(not self._folded)
        self.changed.emit()

    # Values

    def offer_variants(self, every: Sequence[str]) -> None:
        """Offer the variants of a model; one that is new is ticked."""
        ticked = set(self.ticked())
        self.form.refresh()
        wanted = [value for value in every if value in ticked or value not in self._offered]
        self._offered = set(every)
        self.form.set_values({self.model: wanted})

    def ticked(self) -> Sequence[str]:
        """Return the variants that are ticked."""
        return self.form.fields[self.model].editor.value() or ()

    def show_open_sizes(self, asked: bool) -> None:
        """Ask for sizes that the model leaves open, unless a sample has them."""
        self._has_open_sizes = asked
        self._show_sizes()

    @property
    def _asks_sizes(self) -> bool:
        """Whether sizes are to be entered: those of a language model follow from its prompts."""
        return self._has_open_sizes and not self._is_language

    def _show_sizes(self) -> None:
        has_sample = bool(self.form.fields[DATA].editor.value())
        self.sizes.setVisible(self._asks_sizes and not has_sample and not self._folded)

    def _edited(self) -> None:
        self._show_sizes()
        self.changed.emit()

    def show_language(self, backend: str) -> None:
        """Offer what a language model has: tokens, and backends of its own.

        Args:
            backend: The one that is ticked; empty for any other model.
        """
        if bool(backend) != self._is_language:
            self._is_language = bool(backend)
            values: dict[str, object] = {MODE: modes.TOKENS_MODE if backend else modes.LATENCY}
            self.form.set_values({**values, BACKEND: [backend or self._default]})
        for name in _NOT_OF_LANGUAGE:
            if name in self.form.fields:
                self.form.fields[name].setVisible(not backend)
        self._show_mode()
        self._show_sizes()

    def _show_mode(self) -> None:
        """Show the options that mean something in the mode that is chosen."""
        field = self.form.fields.get(MODE)
        mode = str((field and field.editor.value()) or modes.LATENCY)
        for name in MODE_OPTIONS & self.form.fields.keys():
            self.form.fields[name].setVisible(name in modes.OPTIONS[mode])

    def take_over(self, options: Mapping[str, object]) -> None:
        """Show the settings of an earlier run; its variants and its data stay the current ones."""
        known = {
            name: value
            for name, value in options.items()
            if name in self.form.fields and name not in _OF_THE_MODEL and value is not None
        }
        if self._is_language != (options.get(MODE) == modes.TOKENS_MODE):
            known = {name: value for name, value in known.items() if name not in (MODE, BACKEND)}
        self.form.set_values(known)
        self._show_mode()

    def check(self) -> bool:
        """Show what is wrong, if anything; True when a run can start."""
        if not self.form.check():
            self.fold(False)
            return False
        asks = self._asks_sizes and not self._given()
        if asks and not self.sizes.check():
            self.fold(False)
            return False
        return True

    def values(self) -> dict[str, object]:
        """Return the options of a run."""
        options: dict[str, object] = dict(self.form.values())
        if self._asks_sizes and not self._given():
            options[SHAPES] = self.sizes.values()
        if options.get(SHAPES):
            options.pop(DATA, None)  # the given sizes count
        return options

    def _given(self) -> bool:
        fields = self.form.fields
        return bool(fields[DATA].editor.value() or fields[SHAPES].editor.value())


def _ordered(options: tuple[Option, ...]) -> tuple[Option, ...]:
    """Return the options: the few that matter each time in front, the others folded."""
    by_name = {option.name: option for option in options}
    if MODE in by_name:
        by_name[MODE] = replace(by_name[MODE], choice_titles=MODE_TITLES)
    front = [name for name in IN_FRONT if name in by_name]
    order = [*front, *(name for name in by_name if name not in IN_FRONT)]
    return tuple(
        replace(by_name[name], advanced=name not in IN_FRONT)
        for name in order
        if by_name[name].kind is not Kind.OUTPUT
    )


def line(result: ProfileResult, names: rows.Names, options: Mapping[str, object]) -> str:
    """Return the settings of a result: machine, runtimes, threads, load, input, A/A control."""
    target = names.target[:1].upper() + names.target[1:]
    parts = [", ".join(filter(None, (target, rows.processor(result.environment))))]
    measured = [run for run in result.runs if run.version]
    parts += dict.fromkeys(names.runtime(run) for run in measured)
    parts += dict.fromkeys(run.device.upper() for run in measured if run.device)
    parts += [rows.thread_text(result), _LOAD[modes.mode_of(result)], _input(result, options)]
    control = rows.twin(result)
    parts.append(f"A/A control {control}" if control else "")
    return " · ".join(part for part in parts if part)


def running_line(options: Mapping[str, object], names: rows.Names) -> str:
    """Return the settings of a run that starts: machine, runtimes, load, time."""
    backends = options.get(BACKEND)
    named = backends if isinstance(backends, list | tuple) else [backends]
    mode = str(options.get(MODE) or modes.LATENCY)
    time, unit = ("minutes", "min") if mode == "sustained" else ("seconds", "s")
    parts = [
        names.target[:1].upper() + names.target[1:],
        *(names.backends.get(str(each), str(each)) for each in named if each),
        _LOAD.get(mode, mode),
        f"{options[time]:g} {unit}" if options.get(time) else "",
        "with operators" if options.get(OPERATORS) else "",
    ]
    return " · ".join(part for part in parts if part)


def _input(result: ProfileResult, options: Mapping[str, object]) -> str:
    """Return what was fed: ``input 1×3×48×320 from heldout``."""
    feeds = result.feeds
    sizes = "×".join(map(str, feeds[0].shape)) if len(feeds) == 1 else ""
    source = ""
    if options:
        data = str(options.get(DATA) or "").rstrip("/")
        source = f"from {data.rpartition('/')[2]}" if data else "of random values"
    text = " ".join(filter(None, (sizes, source)))
    return f"input {text}" if text else ""

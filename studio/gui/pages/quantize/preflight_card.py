"""What can be said before a quantization: whether int8 will be faster, what the data hold."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.api.qt import plain_tip
from studio.datasets.results import DataPreview, DataProblem
from studio.gui import figures
from studio.gui.pages.shared.input_preview import InputPreview
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, label, row
from studio.quantization.results import PreflightResult

_THUMB = 7 * GRID
_NO_DATA = "Add about 100 representative samples: a folder or .npz file."
_NO_EVAL_DATA = (
    "Add labelled samples to measure the metric drop. Without labels, only SQNR is reported."
)


class PreflightCard(QWidget):
    """The answer of the step that looks ahead."""

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self.outlook = label("", wrap=True)
        self.measured = label("", "dim", wrap=True)
        self.data = _DataPart("Calibration data", theming)
        self.eval_data = _DataPart("Evaluation data", theming)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * GRID)
        faster = QVBoxLayout()
        faster.setSpacing(4)
        faster.addWidget(label("Estimated int8 speed-up", "section"))
        faster.addWidget(self.outlook)
        faster.addWidget(self.measured)
        layout.addLayout(faster)
        layout.addWidget(self.data)
        layout.addWidget(self.eval_data)
        layout.addStretch(1)
        self.show_result(PreflightResult(), asked=False)
        self.show_measured({})

    def show_measured(self, ratios: Mapping[str, float]) -> None:
        """Show the measured time of the existing variants next to the prediction."""
        listed = ", ".join(f"{name} {figures.ratio(ratio)}" for name, ratio in ratios.items())
        self.measured.setText(f"Measured, time over float: {listed}." if ratios else "")
        self.measured.setVisible(bool(ratios))

    def show_waiting(self) -> None:
        """Show that the pre-flight check is running."""
        self.outlook.setText("Timing small layers on this machine…")

    def show_result(self, result: PreflightResult, *, asked: bool = True) -> None:
        """Show what came back; nothing is not known yet."""
        nothing = "No int8 estimate for this preset." if asked else "Open a model."
        self.outlook.setText(result.outlook.sentence if result.outlook else nothing)
        self.data.show_content(result.data, _NO_DATA)
        self.eval_data.show_content(result.eval_data, _NO_EVAL_DATA)


class _DataPart(QWidget):
    """What one path holds."""

    def __init__(self, title: str, theming: Theming) -> None:
        super().__init__()
        self.text = label("", wrap=True)
        self.problem = label("", tone="bad", wrap=True)
        self.hint = label("", "dim", wrap=True)
        self.thumbs = [InputPreview(theming) for _ in range(4)]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(label(title, "section"))
        for item in (self.problem, self.text, self.hint):
            layout.addWidget(item)
        for thumb in self.thumbs:
            thumb.setFixedSize(_THUMB, _THUMB)
        layout.addLayout(row(*self.thumbs, None))

    def show_content(self, content: DataPreview | DataProblem | None, empty: str) -> None:
        """Show what the path holds, what is wrong with it, or what to give."""
        problem = content if isinstance(content, DataProblem) else None
        fitting = content if isinstance(content, DataPreview) else None
        hint = problem.hint if problem else "" if content else empty
        for shown, text in (
            (self.problem, problem.problem if problem else ""),
            (self.text, _described(fitting) if fitting else ""),
            (self.hint, hint),
        ):
            shown.setText(text)
            shown.setVisible(bool(text))
        samples = list(fitting.samples) if fitting else []
        for thumb, sample in zip(self.thumbs, [*samples, *[None] * len(self.thumbs)], strict=False):
            thumb.setVisible(sample is not None)
            if sample is not None:
                thumb.show_input(sample.input)
                thumb.setToolTip(plain_tip("\n".join([sample.name, *sample.input.lines])))


def _described(data: DataPreview) -> str:
    """Count, shapes and labels in a few words."""
    inputs = ", ".join(f"{one.name} {one.found}" for one in data.inputs)
    kind = {"class": "classes", "text": "texts"}.get(data.labels.kind or "")
    about = f"{data.labels.different} different {kind}" if kind else "no labels"
    return f"{figures.count(data.count, 'sample')}, fits: {inputs}; {about}."

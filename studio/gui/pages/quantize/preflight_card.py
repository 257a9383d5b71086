"""What can be said before a quantization: whether int8 will be faster, what the data hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.api.qt import plain_tip
from studio.gui import figures
from studio.gui.pages.shared.input_preview import InputPreview
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, label, row

_DATA = (("data", "Calibration data"), ("eval_data", "Evaluation data"))
_THUMB = 7 * GRID
_EMPTY = {
    "data": "Add about 100 representative samples: a folder or .npz file.",
    "eval_data": "Add labelled samples to measure the metric drop. Without labels, only SQNR is "
    "reported.",
}


class PreflightCard(QWidget):
    """The answer of the step that looks ahead."""

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self.outlook = label("", wrap=True)
        self.measured = label("", "dim", wrap=True)
        self.parts = {name: _DataPart(title, theming) for name, title in _DATA}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * GRID)
        faster = QVBoxLayout()
        faster.setSpacing(4)
        faster.addWidget(label("Estimated int8 speed-up", "section"))
        faster.addWidget(self.outlook)
        faster.addWidget(self.measured)
        layout.addLayout(faster)
        for part in self.parts.values():
            layout.addWidget(part)
        layout.addStretch(1)
        self.show_result({}, asked=False)
        self.show_measured({})

    def show_measured(self, ratios: Mapping[str, float]) -> None:
        """Show what was measured of the variants that there are, beside the prediction."""
        listed = ", ".join(f"{name} {figures.ratio(ratio)}" for name, ratio in ratios.items())
        self.measured.setText(f"Measured, time over float: {listed}." if ratios else "")
        self.measured.setVisible(bool(ratios))

    def show_waiting(self) -> None:
        """The step was asked."""
        self.outlook.setText("Timing small layers on this machine…")

    def show_result(self, result: Mapping[str, Any], *, asked: bool = True) -> None:
        """Show what came back; nothing is not known yet."""
        outlook = result.get("outlook") or {}
        nothing = "No int8 estimate for this preset." if asked else "Open a model."
        self.outlook.setText(str(outlook.get("sentence") or nothing))
        for name, part in self.parts.items():
            part.show_found(result.get(name), _EMPTY[name])


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

    def show_found(self, found: Mapping[str, Any] | None, empty: str) -> None:
        found = found or {}
        problem = str(found.get("problem") or "")
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.text.setText(_described(found) if found and not problem else "")
        self.text.setVisible(bool(found) and not problem)
        hint = str(found.get("hint") or "") if problem else "" if found else empty
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        samples = list(found.get("samples") or ())
        for thumb, sample in zip(self.thumbs, [*samples, *[None] * len(self.thumbs)], strict=False):
            thumb.setVisible(sample is not None)
            if sample is not None:
                thumb.show_input(sample["input"])
                tip = "\n".join([sample["name"], *sample["input"].get("lines", ())])
                thumb.setToolTip(plain_tip(tip))


def _described(found: Mapping[str, Any]) -> str:
    """Count, shapes and labels in a few words."""
    inputs = ", ".join(f"{one['name']} {one['found']}" for one in found["inputs"])
    labels = found["labels"]
    kind = {"class": "classes", "text": "texts"}.get(str(labels["kind"]))
    about = f"{labels['different']} different {kind}" if kind else "no labels"
    return f"{figures.count(found['count'], 'sample')}, fits: {inputs}; {about}."

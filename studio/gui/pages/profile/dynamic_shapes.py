"""The card that asks for the sizes which a model leaves open, with a proposal for each input."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtWidgets import QGridLayout, QLineEdit, QSizePolicy

from studio.gui.widgets.basics import GRID, Card, label, restyle
from studio.models.results import Terminal

Shape = tuple[int | str | None, ...]

_IMAGE = 224
_SHAPE = re.compile(r"\s*\d+(\s*[x×,]\s*\d+)*\s*")
_MOST = 8
_LONG = 12


def is_open(shape: Shape) -> bool:
    """Return whether a size after the first one, which is mostly the batch, is unknown."""
    return any(not isinstance(size, int) or size < 0 for size in shape[1:])


def proposal(shape: Shape) -> str:
    """Return a sensible shape: 1 for batches and lengths, 224 for height and width."""
    last = len(shape) == 4 and shape[-1] in (1, 3)
    sides = () if len(shape) != 4 else (1, 2) if last else (2, 3)
    return "x".join(
        str(size if isinstance(size, int) and size > 0 else _IMAGE if axis in sides else 1)
        for axis, size in enumerate(shape)
    )


def _spoken(size: int | str | None) -> str:
    """Return a size as people read it; names that exporters made up tell nothing."""
    return str(size) if isinstance(size, int) or (size and len(str(size)) <= _LONG) else "?"


class DynamicShapes(Card):
    """A line for each input with a dynamic shape; hidden without any."""

    def __init__(self) -> None:
        super().__init__(
            "Dynamic dimensions",
            "Latency depends on these sizes. Enter the sizes you use in production.",
        )
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setColumnStretch(3, 1)
        self.body.addLayout(self._grid)
        self._complaint = label("", "small", tone="bad", wrap=True)
        self.body.addWidget(self._complaint)
        self._complaint.hide()
        self.editors: dict[str, QLineEdit] = {}
        self._declared: dict[str, Shape] = {}
        self.hide()

    def show_inputs(self, inputs: Sequence[Terminal], before: Sequence[str] = ()) -> None:
        """Show a field for each input with a dynamic shape.

        Args:
            before: Shapes of the newest profile, as its option has them; they go first.
        """
        wanted = {each.name: each.shape for each in inputs if each.shape and is_open(each.shape)}
        wanted = dict(list(wanted.items())[:_MOST])
        self.setVisible(bool(wanted))
        if wanted == self._declared:
            return
        self._declared = wanted
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.deleteLater()
        known = dict(text.rsplit("=", 1) for text in before if "=" in text)
        self.editors = {}
        for y, (name, shape) in enumerate(wanted.items()):
            editor = QLineEdit(known.get(name) or proposal(shape))
            editor.setFixedWidth(24 * GRID)
            editor.setAccessibleName(f"Shape of {name}")
            editor.textEdited.connect(lambda _: self.check())
            declared = "×".join(_spoken(size) for size in shape)
            self._grid.addWidget(label(name), y, 0)
            self._grid.addWidget(editor, y, 1)
            self._grid.addWidget(label(f"declared as {declared}", "dim"), y, 2)
            self.editors[name] = editor

    def check(self) -> bool:
        """Show the errors, if any; return True when every shape fits the model's inputs."""
        wrong = {name: self._wrong(name, editor.text()) for name, editor in self.editors.items()}
        for name, editor in self.editors.items():
            restyle(editor, invalid=bool(wrong[name]))
        sentence = next((text for text in wrong.values() if text), "")
        self._complaint.setText(sentence)
        self._complaint.setVisible(bool(sentence))
        return not sentence

    def values(self) -> list[str]:
        """Return the shapes as the option takes them: ``x=1x3x48x320``."""
        return [
            f"{name}={re.sub(r'[^0-9]+', 'x', editor.text().strip())}"
            for name, editor in self.editors.items()
        ]

    def _wrong(self, name: str, text: str) -> str:
        declared = self._declared[name]
        if not _SHAPE.fullmatch(text):
            return f"{name}: enter sizes such as {proposal(declared)}."
        sizes = [int(each) for each in re.findall(r"\d+", text)]
        fixed = zip(declared, sizes, strict=False)
        if len(sizes) != len(declared):
            return f"{name} has {len(declared)} sizes, not {len(sizes)}."
        if 0 in sizes:
            return f"{name}: no size may be 0."
        if any(isinstance(want, int) and want > 0 and want != have for want, have in fixed):
            return f"{name}: fixed sizes of the model cannot be changed ({proposal(declared)})."
        return ""

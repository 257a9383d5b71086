"""The editors of a form: one widget for each kind of value that an option can have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from PySide6.QtCore import QEvent, QLocale, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QWidget,
)

from studio.api import Kind, Option, UsageError
from studio.gui.widgets.basics import restyle

UNSET = "not set"
_WIDEST = 1e9
_INTEGERS = 2**31 - 1
_CHECKS_A_LINE = 6
_CHECKS_SHORT = 15
_CHECKS_NARROW = 2

Choice = tuple[str, str]
"""A choice: what the option's value is, and what the user reads."""


class Choices(Protocol):
    """The choices that a form offers: the models, targets and plugins that exist."""

    def choices(self, option: Option) -> Sequence[Choice] | None:
        """Return the choices of an option; None when the option itself defines them."""


class Editor(QWidget):
    """A widget that holds one option's value and signals its changes."""

    changed = Signal()
    submitted = Signal()
    wide = False
    verb = "Enter"
    """How its value is given, in the sentence about one that is missing."""

    has_title = False
    """Whether it shows the label of its option itself."""

    def __init__(self, option: Option) -> None:
        super().__init__()
        self.option = option

    def value(self) -> Any:
        """Return the value as entered; None where nothing is."""
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        """Show another value; None is nothing entered."""
        raise NotImplementedError

    def complaint(self) -> str:
        """Return why the value does not fit, in one sentence; empty when it does."""
        value = self.value()
        if value is None and self.option.required:
            return f"{self.verb} a value for {self.option.label}."
        try:
            self.option.check(value)
        except UsageError as error:
            return error.message
        return ""

    def mark(self, wrong: bool) -> None:
        """Mark an invalid value with a red frame; the sentence below gives the reason."""
        proxy = self.focusProxy()
        if proxy is not None and bool(proxy.property("invalid")) is not wrong:
            restyle(proxy, invalid=wrong)

    def _lay_out(self, main: QWidget, *others: QWidget) -> None:
        """Lay the widgets out in a row; the first gets the focus and the accessible name."""
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for widget in (main, *others):
            row.addWidget(widget)
        self._name(main)

    def _name(self, main: QWidget) -> None:
        main.setObjectName(f"option.{self.option.name}")
        main.setAccessibleName(self.option.label)
        main.setAccessibleDescription(self.option.help)
        self.setFocusProxy(main)


class TextEditor(Editor):
    """A line of text."""

    def __init__(self, option: Option) -> None:
        super().__init__(option)
        self.line = QLineEdit()
        self.line.setPlaceholderText(option.placeholder)
        self.line.textChanged.connect(self.changed)
        self.line.returnPressed.connect(self.submitted)
        self._lay_out(self.line)
        self.set_value(option.default)

    def value(self) -> Any:
        """Return the text, or the list of its comma-separated parts."""
        text = self.line.text().strip()
        if not text:
            return None
        if self.option.many:
            return [part.strip() for part in text.split(",") if part.strip()]
        return text

    def set_value(self, value: Any) -> None:
        """Show a text, or a list joined by commas."""
        if isinstance(value, (list, tuple)):
            value = ", ".join(str(item) for item in value)
        self.line.setText("" if value is None else str(value))


class _CalmSpin(QDoubleSpinBox):
    """A spin box that keeps short decimals, and leaves the wheel to the page until focused."""

    def textFromValue(self, value: float) -> str:
        return f"{value:.9g}"

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.setSuffix(self.suffix())  # it forgets what size it had before it was dressed

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class NumberEditor(Editor):
    """A number with its unit; one step below the least it is unset, where that is allowed."""

    def __init__(self, option: Option) -> None:
        super().__init__(option)
        self.spin = _CalmSpin()
        self.spin.setLocale(QLocale.c())
        self.spin.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.spin.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        self.spin.setDecimals(0 if option.kind is Kind.INTEGER else 9)
        self.spin.setKeyboardTracking(True)
        if option.unit:
            self.spin.setSuffix(f" {option.unit}")
        self._optional = option.default is None
        self.spin.setRange(self._least(), self._most())
        if self._optional:
            self.spin.setSpecialValueText(option.placeholder or UNSET)
        elif option.zero and option.minimum == 0:
            self.spin.setSpecialValueText(option.zero)
        # The style gives the text no room at the left.
        self.spin.lineEdit().setTextMargins(7, 0, 0, 0)
        self.spin.valueChanged.connect(self.changed)
        self.spin.lineEdit().returnPressed.connect(self.submitted)
        self._lay_out(self.spin)
        self.set_value(option.default)

    def _least(self) -> float:
        option = self.option
        widest = _INTEGERS if option.kind is Kind.INTEGER else _WIDEST
        least = -widest if option.minimum is None else option.minimum
        return least - 1 if self._optional else least

    def _most(self) -> float:
        if self.option.maximum is not None:
            return self.option.maximum
        return float(_INTEGERS) if self.option.kind is Kind.INTEGER else _WIDEST

    def value(self) -> Any:
        """Return the number, or None while unset."""
        number = self.spin.value()
        if self._optional and number < self.spin.minimum() + 1:
            return None
        return int(number) if self.option.kind is Kind.INTEGER else number

    def set_value(self, value: Any) -> None:
        """Show a number; None is unset (or the least, where a number is needed)."""
        self.spin.setValue(self.spin.minimum() if value is None else float(value))


class FlagEditor(Editor):
    """A check box that carries its own label."""

    has_title = True

    def __init__(self, option: Option) -> None:
        super().__init__(option)
        self.box = QCheckBox(option.label)
        self.box.toggled.connect(self.changed)
        self._lay_out(self.box)
        self.set_value(option.default)

    def value(self) -> Any:
        """Yes or no."""
        return self.box.isChecked()

    def set_value(self, value: Any) -> None:
        """Tick or untick."""
        self.box.setChecked(bool(value))


class _CalmCombo(QComboBox):
    """A drop-down that leaves the wheel to the page until focused."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class ChoiceEditor(Editor):
    """One of several; the first entry is "not set" where nothing needs to be chosen."""

    verb = "Choose"

    def __init__(self, option: Option, entries: Sequence[Choice]) -> None:
        super().__init__(option)
        self.combo = _CalmCombo()
        self.combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.combo.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.combo.setMinimumContentsLength(8)
        self._lay_out(self.combo)
        self.set_entries(entries)
        self.combo.currentIndexChanged.connect(self.changed)

    def set_entries(self, entries: Sequence[Choice]) -> None:
        """Offer other choices; what was chosen stays chosen if it is still there."""
        kept = self.value() if self.combo.count() else self.option.default
        self.combo.blockSignals(True)
        self.combo.clear()
        if self.option.default is None and not self.option.required:
            self.combo.addItem(self.option.placeholder or UNSET, None)
        for value, title in entries:
            self.combo.addItem(title, value)
        self.set_value(kept)
        self.combo.blockSignals(False)

    def value(self) -> Any:
        """Return the chosen entry's value."""
        return self.combo.currentData()

    def set_value(self, value: Any) -> None:
        """Choose an entry; the first where that one does not exist."""
        index = self.combo.findData(value)
        self.combo.setCurrentIndex(max(index, 0) if self.combo.count() else -1)


class ChecksEditor(Editor):
    """Any number of several, a check box each."""

    verb = "Choose"

    def __init__(self, option: Option, entries: Sequence[Choice]) -> None:
        super().__init__(option)
        # Models come and go, so they have a line of their own from the beginning.
        self.wide = option.kind is Kind.MODEL or len(entries) > _CHECKS_NARROW
        self.boxes: dict[str, QCheckBox] = {}
        self._a_line = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(0)
        self._grid.setColumnStretch(_CHECKS_A_LINE, 1)
        self.setObjectName(f"option.{option.name}")
        self.setAccessibleName(option.label)
        self.set_entries(entries)

    def set_entries(self, entries: Sequence[Choice]) -> None:
        """Offer other choices; those that were ticked stay ticked."""
        ticked = self.value() if self.boxes else self.option.default
        for box in self.boxes.values():
            self._grid.removeWidget(box)
            box.deleteLater()
        self.boxes = {}
        for value, title in entries:
            box = QCheckBox(title)
            box.setAccessibleName(f"{self.option.label}: {title}")
            box.toggled.connect(self.changed)
            self.boxes[value] = box
        self._place(self._fitting(self.width()))
        if self.boxes:
            self.setFocusProxy(next(iter(self.boxes.values())))
        self.set_value(ticked)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place as many columns as fit the width."""
        super().resizeEvent(event)
        a_line = self._fitting(event.size().width())
        if a_line != self._a_line:
            self._place(a_line)

    def minimumSizeHint(self) -> QSize:
        """Room for the longest: the others go below each other."""
        return QSize(self._widest(), self._grid.totalMinimumSize().height())

    def _widest(self) -> int:
        return max((box.sizeHint().width() for box in self.boxes.values()), default=0)

    def _fitting(self, width: int) -> int:
        # Names of targets are the user's and may be long; their forms are next to a table.
        longest = max((len(box.text()) for box in self.boxes.values()), default=0)
        most = _CHECKS_A_LINE
        if self.option.kind is Kind.TARGET:
            most = 2 if longest <= _CHECKS_SHORT else 1
        gap = self._grid.horizontalSpacing()
        return max(1, min(most, (width + gap) // (self._widest() + gap)))

    def _place(self, a_line: int) -> None:
        self._a_line = a_line
        for position, box in enumerate(self.boxes.values()):
            self._grid.addWidget(box, *divmod(position, a_line))

    def value(self) -> Any:
        """Return the ticked values in the order shown; None when no box is ticked."""
        ticked = [value for value, box in self.boxes.items() if box.isChecked()]
        return ticked or None

    def set_value(self, value: Any) -> None:
        """Tick exactly these."""
        wanted = [value] if isinstance(value, str) else list(value or ())
        for key, box in self.boxes.items():
            box.setChecked(key in wanted)

"""A seeded hand that does at random what hands do: click, type, press keys, scroll, resize."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QWidget,
)

from studio.gui.graph.canvas import GraphCanvas
from studio.gui.pages.shared.question import Question
from studio.gui.window.stages import BY_ID

if TYPE_CHECKING:
    from studio.gui.window.main_window import MainWindow

SIZES = ((960, 600), (1280, 800))
TEXTS = (
    "",
    "0",
    "-1",
    "1e9",
    "a b",
    "ü",
    "💥",
    "../../x",
    "${x}",
    "'; --",
    "<b>x</b>",
    "y" * 5_000,
)
KEYS = (
    *("Tab", "Backtab", "Return", "Escape", "Space", "Up", "Down", "Left", "Right", "Delete"),
    *("Ctrl+K", "Ctrl+J", "Ctrl+I", "Ctrl+F", "Ctrl+A", "Ctrl+.", "Ctrl+Return", "F1", "Ctrl+,"),
    *(f"Ctrl+{number}" for number in range(10)),
)
CHANGING = frozenset({"deploy", "rollback", "undeploy", "rollout"})
"""Steps that change what a target serves."""

_LEAVES = ("quit", "close window", "go on in the background", "stop and keep")
_MOST_PER_STEP = 4
_KEYS_A_TURN = 10


@dataclass
class Findings:
    """What a robot found.

    Attributes:
        unconfirmed: Changes of a target that no click confirmed.
    """

    actions: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    pages: Counter[str] = field(default_factory=Counter)
    exceptions: list[str] = field(default_factory=list)
    unconfirmed: list[str] = field(default_factory=list)


class Robot:
    """A hand with a seed.

    Args:
        files: What its file dialogs choose from.
        remote: Name of a target that is another machine.
        about_to: Called with what it is about to do, after it has looked for it.
    """

    def __init__(
        self,
        window: MainWindow,
        seed: int,
        files: tuple[Path, ...],
        remote: str,
        about_to: Callable[[str], None],
    ) -> None:
        self.found = Findings()
        self._window, self._files, self._remote = window, files, remote
        self._about_to = about_to
        self._random = random.Random(seed)
        self._last: QWidget | None = None
        self._typed = ""
        self._start: Callable[..., Any] = window.workspace.start
        self._hands: tuple[tuple[int, Callable[[], str]], ...] = (
            (50, self._click),
            (12, self._type),
            (12, self._press),
            (8, self._visit),
            (6, self._scroll),
            (4, self._choose),
            (2, self._resize),
            (2, self._look_again),
        )
        setattr(window.workspace, "start", self._started)  # noqa: B010
        self._answer_dialogs()

    def act(self) -> None:
        """Do one thing; what is in the way (a menu, a dialog) is answered first."""
        if self._typed:
            self._type_on()
        elif not self._answer():
            weights = [weight for weight, _ in self._hands]
            hand = self._random.choices([one for _, one in self._hands], weights)[0]
            self.found.actions[hand()] += 1
        page = self._window.page()
        if page is not None:
            self.found.pages[page.stage] += 1

    # Hands

    def _click(self) -> str:
        buttons = [one for one in self._seen(QAbstractButton) if one.isEnabled()]
        wanted = [one for one in buttons if not self._leaves(one)]
        if wanted:
            self._press_on(self._random.choice(wanted))
        return "click"

    def _type(self) -> str:
        fields = [*self._seen(QLineEdit), *self._seen(QAbstractSpinBox)]
        if fields:
            chosen = self._random.choice(fields)
            self._about_to(f"type into {chosen.accessibleName()!r}")
            chosen.setFocus()
            QTest.keyClick(chosen, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
            self._typed = self._random.choice(TEXTS)[:200]
            self._type_on()
        return "type"

    def _type_on(self) -> None:
        """Type the next signs into what has the focus: a person's keys do not come in one turn."""
        field = QApplication.focusWidget()
        signs, self._typed = self._typed[:_KEYS_A_TURN], self._typed[_KEYS_A_TURN:]
        for sign in signs if field is not None else "":  # QTest types ASCII alone
            event = QKeyEvent(QEvent.Type.KeyPress, 0, Qt.KeyboardModifier.NoModifier, sign)
            QApplication.sendEvent(field, event)

    def _press(self) -> str:
        self._last = QApplication.focusWidget()
        target = self._last or self._window
        key = self._random.choice(KEYS)
        self._about_to(f"press {key}")
        QTest.keySequence(target, key)
        return "press"

    def _visit(self) -> str:
        stage = self._random.choice(sorted(BY_ID))
        self._about_to(f"visit {stage}")
        self._window.go(stage)
        return "visit"

    def _scroll(self) -> str:
        views = [*self._seen(QAbstractItemView), *self._seen(GraphCanvas)]
        if views:
            chosen = self._random.choice(views)
            place = self._within(chosen)
            self._about_to(f"click into {chosen.accessibleName()!r}")
            QTest.mouseMove(chosen, place)
            QTest.mouseClick(chosen, Qt.MouseButton.LeftButton, pos=place)
        return "scroll"

    def _choose(self) -> str:
        boxes = [one for one in self._seen(QComboBox) if one.isEnabled() and one.count()]
        if boxes:
            chosen = self._random.choice(boxes)
            self._about_to(f"choose in {chosen.accessibleName()!r}")
            chosen.setCurrentIndex(self._random.randrange(chosen.count()))
            chosen.activated.emit(chosen.currentIndex())
        return "choose"

    def _resize(self) -> str:
        self._about_to("resize")
        self._window.resize(*self._random.choice(SIZES))
        return "resize"

    def _look_again(self) -> str:
        self._about_to("change the theme")
        self._window.toggle_theme()
        return "theme"

    # What is in the way

    def _answer(self) -> bool:
        """Choose in an open menu, or press a button of an open dialog."""
        menu = QApplication.activePopupWidget()
        if isinstance(menu, QMenu):
            actions = [one for one in menu.actions() if one.isEnabled() and not one.isSeparator()]
            menu.close()
            if actions and self._random.random() < 0.7:
                self._last = menu
                chosen = self._random.choice(actions)
                self._about_to(f"choose {chosen.text()!r}")
                chosen.trigger()
            self.found.actions["menu"] += 1
            return True
        if menu is not None:
            menu.close()
            return True
        dialog = QApplication.activeModalWidget()
        if dialog is None:
            return False
        buttons = [one for one in dialog.findChildren(QAbstractButton) if one.isEnabled()]
        wanted = [one for one in buttons if one.isVisible() and not self._leaves(one)]
        if wanted and self._random.random() < 0.7:
            self._press_on(self._random.choice(wanted))
        elif isinstance(dialog, QDialog):
            dialog.reject()
        self.found.actions["dialog"] += 1
        return True

    def _answer_dialogs(self) -> None:
        """Let dialogs of the system, which nobody can see offscreen, choose at random."""

        def file(*_: object, **__: object) -> tuple[str, str]:
            return str(self._random.choice(("", *self._files))), ""

        def folder(*_: object, **__: object) -> str:
            return str(self._random.choice(("", *(one.parent for one in self._files))))

        def no(*_: object, **__: object) -> QMessageBox.StandardButton:
            return QMessageBox.StandardButton.No

        def new(*_: object, **__: object) -> tuple[str, str]:
            names = ("new.html", "new.svg", "new.csv", "new.npz", "no/folder.txt")
            return str(self._files[0].parent / self._random.choice(names)), ""

        QFileDialog.getOpenFileName = staticmethod(file)  # type: ignore[assignment]
        QFileDialog.getSaveFileName = staticmethod(new)  # type: ignore[assignment]
        QFileDialog.getExistingDirectory = staticmethod(folder)  # type: ignore[assignment]
        for name in ("question", "warning", "information", "critical"):
            setattr(QMessageBox, name, staticmethod(no))

    # What it starts

    def _started(self, step: str, **options: Any) -> Any:
        self.found.steps[step] += 1
        if self._changes_another(step, options) and not self._is_confirmed():
            last = self._last.accessibleName() if self._last is not None else "nothing"
            self.found.unconfirmed.append(f"{step} {options} by {last!r}")
        if self.found.steps[step] > _MOST_PER_STEP and step in ("profile", "quantize", "rollout"):
            options = {**options, "model": "#0"}  # enough of the long ones: it is refused
        return self._start(step, **options)

    def _changes_another(self, step: str, options: Mapping[str, Any]) -> bool:
        if step not in CHANGING or options.get("dry_run"):
            return False
        return self._remote in str(options.get("target"))

    def _is_confirmed(self) -> bool:
        """Whether the last click was on a button that names the target, or confirms a question."""
        last = self._last
        if not isinstance(last, QAbstractButton):
            return False
        name = f"{last.text()} {last.accessibleName()}"
        return (
            self._remote in name
            or last.property("role") == "danger"
            or isinstance(last.window(), Question)
        )

    # Looking

    def _seen(self, kind: type[Any]) -> list[Any]:
        found = self._window.findChildren(kind)
        return [one for one in found if one.isVisible() and not one.visibleRegion().isEmpty()]

    @staticmethod
    def _leaves(one: QAbstractButton) -> bool:
        name = f"{one.text()} {one.accessibleName()}".lower()
        return any(word in name for word in _LEAVES)

    def _press_on(self, one: QAbstractButton) -> None:
        self._last = one
        self._about_to(f"click {one.accessibleName() or one.text()!r}")
        QTest.mouseClick(one, Qt.MouseButton.LeftButton, pos=self._within(one))

    def _within(self, widget: QWidget) -> QPoint:
        region = widget.visibleRegion().boundingRect()
        return QPoint(
            self._random.randint(region.left(), max(region.left(), region.right())),
            self._random.randint(region.top(), max(region.top(), region.bottom())),
        )

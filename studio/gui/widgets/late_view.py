"""A view of a page that is made after the page, so that neither takes a long turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

ViewT = TypeVar("ViewT", bound=QWidget)


class LateFrame(QWidget):
    """The empty place of a view, which fills itself when it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)

    def complete(self) -> None:
        """Make the view; a second call does nothing."""
        raise NotImplementedError

    def showEvent(self, event: QShowEvent) -> None:
        """Make the view, unless an idle turn has done so."""
        self.complete()
        super().showEvent(event)


class LateView(LateFrame, Generic[ViewT]):
    """The place of a view that is made in an idle turn, or when it is first needed.

    Args:
        make: Makes the view.
    """

    def __init__(self, make: Callable[[], ViewT]) -> None:
        super().__init__()
        self._make = make
        self._view: ViewT | None = None

    @property
    def view(self) -> ViewT:
        """The view, made by the first look at it."""
        if self._view is None:
            self._view = self._make()
            self._layout.addWidget(self._view)
            self._view.show()  # at once, where its place is seen already
        return self._view

    @property
    def made(self) -> ViewT | None:
        """The view; None while it is not made."""
        return self._view

    def complete(self) -> None:
        """Make the view; a second call does nothing."""
        self._view = self.view

"""A view that a feature adds to a page of the core."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from studio.gui.pages.shared.base import Page
    from studio.workspace import VariantRecord


class AddedView(QWidget):
    """A view that stands in the slot ``views of STAGE``; the page lends it its primary button.

    Signals:
        changed: The next step, or whether it is possible, may be another one.

    Attributes:
        title: Its name among the page's views.
        place: Added views stand in the order of their places.
        tool: What the header has while the view is shown.
        is_usual: The page shows it when the current variant becomes another one.
    """

    changed = Signal()
    title: ClassVar[str] = ""
    place: ClassVar[int] = 0
    tool: QWidget | None = None
    is_usual = False

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page

    def refresh(self, variant: VariantRecord | None) -> None:
        """Read again what the registry has for the current variant."""

    def next_step(self) -> tuple[str, str]:
        """Return the text of the page's primary button, and why it cannot be pressed."""
        return "", ""

    def run(self) -> None:
        """Do what the primary button names."""

    def on_event(self, event: object) -> None:
        """React to a workspace event."""

"""What every page of the window has in common: a header, sub-views, one primary button."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from studio.feature_host import Slot
from studio.gui.shell import PaletteEntry, Shell
from studio.gui.widgets.basics import GRID, ElidedLabel, button, label
from studio.gui.widgets.view_bar import ViewBar

if TYPE_CHECKING:
    from studio.workspace import VariantRecord, Workspace

HEADER_HEIGHT = 44
_NARROW = 80 * GRID
"""Below this width, a page's header has room for its views, a field and the primary button."""

WIDEST = 240 * GRID
"""On a wider screen a view keeps this width: longer lines are hard to read."""


def show_first_view(part: QWidget | None) -> None:
    """Show the first view of the page that a widget is part of."""
    while part is not None and not isinstance(part, Page):
        part = part.parentWidget()
    if part is not None:
        part.show_view(0)


class Page(QWidget):
    """A stage of the window.

    Subclasses set the class attributes, make their content in ``__init__`` and ``build`` and
    override ``show_variant``. The window makes a page once, and keeps it.

    Attributes:
        stage: Identifier (``quantize``).
        title: Heading.
        icon: Name of the icon in the rail.
        folded_title: The name of the menu with the views of plugins.
        fills_width: It uses the whole width of any screen, as a graph does.
        repeats: The steps that are done here, and can be had as a pipeline.
        explains: The steps whose failures it shows itself while it is seen.
        header: What is above the views; also the parent of a page's dialogs, so that they are
            dressed.
        added: The views of features.
    """

    stage: ClassVar[str] = ""
    title: ClassVar[str] = ""
    icon: ClassVar[str] = ""
    folded_title: ClassVar[str] = "More"
    fills_width: ClassVar[bool] = False
    repeats: ClassVar[tuple[str, ...]] = ()
    explains: ClassVar[tuple[str, ...]] = ()

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self.workspace = workspace
        self.shell = shell
        self.primary: QPushButton | None = None
        self._panels: set[int] = set()
        self.added: list[AddedView] = []
        self.setAutoFillBackground(True)
        self.setAccessibleName(f"{self.title} page")
        self._views = ViewBar(f"{self.title} views", self.folded_title)
        self._views.hide()
        self._note = ElidedLabel()
        self._note.setProperty("role", "dim")
        self._left = QHBoxLayout()
        self._right = QHBoxLayout()
        self._own = QWidget()
        self.stack = QStackedWidget()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.header = self._header()
        layout.addWidget(self.header)
        layout.addWidget(self.stack, 1)
        self._views.changed.connect(self._show_view)
        self._pipeline: QPushButton | None = None
        if self.repeats:
            self._pipeline = self.pipeline_button()
            self.add_tool(self._pipeline)
            self.add_command(f"{self.title}: show as pipeline", self.show_as_pipeline)

    def build(self) -> Iterator[None]:
        """Make the content that would hold up the window if ``__init__`` made all of it.

        Yields:
            Between two pieces, where the window may answer the user. No other method of the page
            is called before the last piece.
        """
        yield from ()

    def complete(self) -> None:
        """Make all of the content at once."""
        for _piece in self.build():
            pass

    def _header(self) -> QFrame:
        header = QFrame()
        header.setProperty("role", "header")
        header.setFixedHeight(HEADER_HEIGHT)
        layout = QHBoxLayout(header)
        layout.setContentsMargins(2 * GRID, 0, 2 * GRID, 0)
        layout.setSpacing(GRID)
        for side in (self._left, self._right):
            side.setSpacing(GRID)
        layout.addWidget(label(self.title, "heading"))
        layout.addSpacing(GRID)
        layout.addWidget(self._views)
        layout.addWidget(self._own, 1)
        tools = QHBoxLayout(self._own)
        tools.setContentsMargins(0, 0, 0, 0)
        tools.setSpacing(GRID)
        tools.addLayout(self._left)
        tools.addWidget(self._note)
        tools.addStretch(1)
        tools.addLayout(self._right)
        layout.addStretch(0)
        return header

    def add_view(self, title: str, view: QWidget, folded: bool = False) -> None:
        """Add a sub-view; the switch appears when there are two.

        Args:
            folded: It stays in the menu behind the others, however wide the page is.
        """
        self.stack.addWidget(view)
        self._views.add(title, folded)
        self._views.setVisible(self._views.count() > 1)

    def add_panel(self, title: str, panel: QWidget, folded: bool = False) -> int:
        """Add a plugin's panel as a sub-view; the page's own tools are hidden while it shows.

        Returns:
            The index of the view.
        """
        self.add_view(title, panel, folded)
        number = self.stack.count() - 1
        self.stack.currentChanged.connect(lambda _: self._show_tools())
        self._panels.add(number)
        return number

    def add_views_of_features(self) -> None:
        """Add what is in the slot ``views of STAGE``.

        Raises:
            Unavailable: when a feature is damaged.
        """
        slot: Slot[type[AddedView]] = Slot(f"views of {self.stage}")
        for kind in sorted(slot.added(), key=lambda kind: kind.place):
            view = kind(self)
            self.added.append(view)
            self.add_view(kind.title, view)
            if view.tool is not None:
                view.tool.hide()
                self.add_tool(view.tool)
        self.stack.currentChanged.connect(lambda _: self._show_added_tool())

    @property
    def shown_added(self) -> AddedView | None:
        """The view of a feature that is shown; None while it is one of the page's own."""
        return next((view for view in self.added if view is self.stack.currentWidget()), None)

    def _show_added_tool(self) -> None:
        for view in self.added:
            if view.tool is not None:
                view.tool.setVisible(view is self.shown_added)

    def _show_tools(self) -> None:
        self._own.setVisible(self.stack.currentIndex() not in self._panels)

    def show_view(self, index: int) -> None:
        """Show a sub-view."""
        self._views.set_index(index)

    def _show_view(self, index: int) -> None:
        view = self.stack.widget(index)
        if view is not None:
            self.shell.theming.dress_shown(view)
        self.stack.setCurrentIndex(index)

    def dress(self) -> None:
        """Dress what is seen of the page."""
        parts = (self.header, self.stack.currentWidget())
        self.shell.theming.dress_shown(*(part for part in parts if part is not None))

    def parts(self) -> list[QWidget]:
        """What wears a style sheet of its own: the header and the views."""
        views = (self.stack.widget(at) for at in range(self.stack.count()))
        return [self.header, *(view for view in views if view is not None)]

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the pipeline to the command palette where the header has no room for it.

        Views stay in the middle of a screen that is too wide for them.
        """
        super().resizeEvent(event)
        spare = 0 if self.fills_width else max(event.size().width() - WIDEST, 0)
        self.stack.setContentsMargins(spare // 2, 0, spare - spare // 2, 0)
        if self._pipeline is not None:
            self._pipeline.setVisible(event.size().width() >= _NARROW)

    def add_tool(self, widget: QWidget, *, left: bool = False) -> None:
        """Add a control to the header, left of the primary button (or next to the sub-views)."""
        if left:
            self._left.addWidget(widget)
        else:
            end = self._right.count() - (1 if self.primary is not None else 0)
            self._right.insertWidget(end, widget)

    def pipeline_button(self) -> QPushButton:
        """Return a quiet button that shows what was done here last as a pipeline."""
        return pipeline_button(self.workspace, self.shell, self.repeats)

    def hide_pipeline_button(self, hidden: bool) -> None:
        """Leave the button out of a narrow header; the command palette has it, too."""
        if self._pipeline is not None:
            self._pipeline.setHidden(hidden)

    def show_as_pipeline(self) -> None:
        """Show the pipeline of what was done last on this page; say it when that is nothing."""
        show_as_pipeline(self.workspace, self.shell, self.repeats)

    def hide_header(self, hidden: bool = True) -> None:
        """Leave the whole page to the content, or show the header again."""
        self.header.setHidden(hidden)

    def set_primary(self, text: str, clicked: Callable[[], object]) -> QPushButton:
        """Add the page's one primary button, at the right end of the header."""
        if self.primary is not None:
            raise RuntimeError(f"{self.title} already has a primary button")
        self.primary = button(text, clicked, "primary")
        self._right.addWidget(self.primary)
        return self.primary

    def set_note(self, text: str) -> None:
        """Set the note in the header (``3 variants × 2 runtimes``); a long one is shortened."""
        self._note.setText(text)

    def add_command(self, text: str, run: Callable[[], object], shortcut: str = "") -> QAction:
        """Add an action to the command palette while this page exists.

        Disable it with ``gui.actions.explain`` so that the palette can say why.
        """
        action = QAction(text, self)
        if shortcut:
            action.setShortcut(shortcut)
        action.triggered.connect(lambda _checked=False: run())
        self.addAction(action)
        return action

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Show another current variant; None when no model is open."""

    def inspector(self) -> QWidget | None:
        """Return the widget for the dock at the right, or None without anything to inspect."""
        return None

    def entries(self) -> Iterable[PaletteEntry]:
        """Return the palette entries of the page in addition to its actions (nodes of a graph)."""
        return ()

    def take_focus(self) -> None:
        """Put the keyboard where one begins on this page: its first field or button."""
        first = _first_by_tab(self.stack) or self.primary
        if first is not None:
            first.setFocus(Qt.FocusReason.OtherFocusReason)

    def on_event(self, event: object) -> None:
        """React to a workspace event on the GUI thread (``workspace.JobFinished`` and others)."""


def pipeline_button(workspace: Workspace, shell: Shell, repeats: Iterable[str]) -> QPushButton:
    """Return a quiet button that shows what was done last by one of some steps as a pipeline."""
    steps = tuple(repeats)
    made = button("Show as pipeline", lambda: show_as_pipeline(workspace, shell, steps), "link")
    made.setToolTip("Shows the pipeline that repeats the last action on this page.")
    return made


def show_as_pipeline(workspace: Workspace, shell: Shell, repeats: Iterable[str]) -> None:
    """Show the pipeline of what was done last by one of some steps; say it when that is nothing."""
    found = workspace.last_action(repeats)
    if found is not None:
        shell.show_action(found.id)
    else:
        shell.notify("No action on this page can be repeated yet.")


def _first_by_tab(holder: QWidget) -> QWidget | None:
    """Return the first widget within another one that the Tab key reaches; None without one.

    The chain runs through all pages of the window, so it is only followed where it leads to one.
    """
    wanted = {widget for widget in holder.findChildren(QWidget) if _takes_tab(widget)}
    candidate = holder.nextInFocusChain() if wanted else None
    while candidate is not None and candidate not in wanted:
        candidate = candidate.nextInFocusChain()
    return candidate


def _takes_tab(widget: QWidget) -> bool:
    return (
        widget.isVisible()
        and widget.isEnabled()
        and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
    )


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

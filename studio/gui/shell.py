"""The window as its pages, its panels and its own parts know it, without importing it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QPushButton, QWidget

    from studio.gui.current_project import CurrentProject, CurrentVariant
    from studio.gui.theme import Theming
    from studio.workspace import RunningJob, VariantRecord, Workspace


@dataclass(frozen=True, slots=True)
class PaletteEntry:
    """Something that can be chosen in the command palette.

    Attributes:
        kind: ``Action``, ``Page``, ``Model``, ``Variant``, ``Target`` or ``Node``.
        detail: Dim text behind the title.
        shortcut: Its key, as shown.
        reason: Why it cannot be taken now; empty when it can.
        weight: Among equal matches the smaller one comes first.
    """

    title: str
    kind: str
    run: Callable[[], object]
    detail: str = ""
    shortcut: str = ""
    reason: str = ""
    weight: int = 0


class MessageAction(NamedTuple):
    """A button in a message: its text, and what a click does."""

    text: str
    run: Callable[[], object]


class Shell(Protocol):
    """The interface of the window to its pages."""

    theming: Theming
    project: CurrentProject

    def start(self, step: str, **options: object) -> RunningJob | None:
        """Start a job; None where its plan is made instead, or an error is shown."""

    def notify(self, text: str, tone: str = "", action: MessageAction | None = None) -> None:
        """Show one quiet sentence; tone is ``good``, ``warning``, ``bad`` or empty."""

    def fail(self, error: BaseException) -> None:
        """Show an error: the sentence, what to do, and the detail behind a disclosure."""

    def select(self, variant: int) -> None:
        """Make a variant the current one."""

    def go(self, stage: str) -> None:
        """Show a stage: model, quantize, profile, deploy, monitor, targets or plugins."""

    def choose_model(self) -> None:
        """Open the dialog for a model file, and open the file."""

    def open_model(self, path: Path, app: Path | None = None) -> None:
        """Open a model in a worker; the Model page shows it when it is there.

        With the folder of an app, the Deploy page offers both instead.
        """

    def open_sample(self, name: str) -> None:
        """Get a sample and open its model."""

    def show_action(self, number: int) -> None:
        """Show something that was done, with the pipeline that repeats it."""

    def inspector_changed(self) -> None:
        """Read the page's inspector again."""


class VisitedPage(Protocol):
    """A page that was made, as the window's parts and the panels know it.

    Attributes:
        primary: Its one primary button; None without one.
    """

    primary: QPushButton | None

    @property
    def stage(self) -> str:
        """Identifier of its stage."""

    def actions(self) -> list[QAction]:
        """Return the actions of the page."""

    def entries(self) -> Iterable[PaletteEntry]:
        """Return its palette entries in addition to its actions."""

    def show_view(self, index: int) -> None:
        """Show a sub-view."""

    def add_panel(self, title: str, panel: QWidget, folded: bool = False) -> int:
        """Add a plugin's panel as a sub-view, and give its index."""

    def add_command(self, text: str, run: Callable[[], object]) -> QAction:
        """Add an action to the command palette while the page exists."""


class ModelBar(Protocol):
    """The bar that names the current model."""

    def show_model(self, name: str, variants: Iterable[VariantRecord], current: int | None) -> None:
        """Show a model's variants; an empty name when none is open."""


class JobControl(Protocol):
    """The bar that shows the running job."""

    def current(self) -> RunningJob | None:
        """Return the running job."""

    def cancel_job(self) -> None:
        """Cancel it."""


class Offer(Protocol):
    """A question to the user, which starts a job when it is answered."""

    def offer(self) -> None:
        """Ask."""


class InspectorView(Protocol):
    """The dock that holds the inspector of a page."""

    def has_content(self) -> bool:
        """Return whether the page has an inspector."""

    def toggle(self) -> None:
        """Show or hide it."""


class Messages(Protocol):
    """The messages over the page."""

    def close_message(self) -> bool:
        """Close the newest message; False without one."""


class WindowParts(Shell, Protocol):
    """The window as its own parts and the panels know it: the shell, its parts and its commands."""

    workspace: Workspace

    @property
    def widget(self) -> QWidget:
        """The window itself, which owns menus and actions."""

    @property
    def current(self) -> CurrentVariant:
        """The current variant."""

    @property
    def topbar(self) -> ModelBar:
        """The bar on top."""

    @property
    def jobbar(self) -> JobControl:
        """The bar of the running job."""

    @property
    def exporter(self) -> Offer:
        """The question for the format to export the current model to."""

    @property
    def inspector(self) -> InspectorView:
        """The dock at the right."""

    @property
    def toasts(self) -> Messages:
        """The messages over the page."""

    def page(self) -> VisitedPage | None:
        """Return the page that is shown."""

    def pages(self) -> Sequence[VisitedPage]:
        """Return the pages that were visited."""

    def show_current(self) -> None:
        """Show which variant is the current one, on every page."""

    def open_known(self, model: int) -> None:
        """Show a model of the registry."""

    def open_palette(self) -> None:
        """Show the command palette."""

    def choose_theme(self, choice: str) -> None:
        """Set ``system``, ``dark`` or ``light``, and store the choice."""

    def toggle_theme(self) -> None:
        """Switch between light and dark, and remember it."""

    def toggle_jobs(self) -> None:
        """Show or hide the Activity panel."""

    def toggle_help(self) -> None:
        """Show or hide the help of the page."""

    def toggle_full_screen(self) -> None:
        """Fill the screen, or give it back."""

"""What a plugin's panel may use of the window. The one part of the public surface that needs Qt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor
from PySide6.QtGui import Qt as RichText
from PySide6.QtWidgets import QWidget

from studio.api.options import Option
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.api.targets import TargetSpec


def plain_tip(text: str) -> str:
    """A text for ``setToolTip`` that is shown as it stands.

    Qt takes a tooltip that looks like HTML for HTML; names of models and what boards say may look
    so. (A ``QLabel`` is told otherwise by ``setTextFormat``; views and buttons show plain text.)
    """
    return RichText.convertFromPlainText(text) if RichText.mightBeRichText(text) else text


@dataclass(frozen=True, slots=True)
class StepEnd:
    """How a step that a panel started has ended.

    Attributes:
        result: What the step gave (the keys of the command's ``--json``); empty unless ``ok``.
        sentence: The outcome in one sentence. The window shows it where the step failed.
        error: Name of the error's class in ``studio.api``, empty where there is none.
    """

    ok: bool
    result: Mapping[str, Any] = field(default_factory=dict)
    sentence: str = ""
    hint: str = ""
    error: str = ""


class RunningStep(QObject):
    """A step at work. Its signals come on the window's thread, as long as the panel exists.

    Signals:
        progressed: How much is done, of how much (0: not known), and what is being done.
        message: Name and values of a message of the work (``step`` of a deploy, with its rows).
        finished: Its StepEnd.
    """

    progressed = Signal(float, float, str)
    message = Signal(str, dict)
    finished = Signal(object)

    def cancel(self) -> None:
        """Ask it to stop; it ends with a StepEnd that is not ``ok``."""
        raise NotImplementedError


class OptionForm(Protocol):
    """A form that the window made from options, in its own look. ``widget`` goes into a layout."""

    @property
    def widget(self) -> QWidget:
        """The form."""

    def check(self) -> bool:
        """Show what is wrong beside each field; True when every value fits."""

    def values(self) -> dict[str, Any]:
        """The values that were entered or are defaults, each in its own type; none that is unset.

        Raises:
            UsageError: for the first that does not fit; call ``check`` before.
        """

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show other values; names that the form does not have are passed over."""

    def refresh(self) -> None:
        """Ask again which targets and models there are to choose from."""

    def on_submit(self, call: Callable[[], object]) -> None:
        """Call this when the user presses Enter in a field."""


class PanelHost(Protocol):
    """What the window does for a panel. Every method is quick and is called on its thread."""

    def start(self, step: str, /, **options: object) -> RunningStep | None:
        """Start a step in a job (``target-probe``, ``deploy``, ``resources``, ``logs`` ...).

        Options are named as in a pipeline; ``studio run`` could do the same. One that does not fit
        is shown as a sentence and gives None.
        """

    def targets(self) -> Sequence[TargetSpec]:
        """The user's targets of the schemes that this panel's plugin answers for."""

    def facts(self, target: str) -> Mapping[str, Any]:
        """What the last ``target-probe`` learned of a target; empty before it."""

    def add_target(self, target: TargetSpec) -> bool:
        """Add or change a target; False when it does not fit, and the window has said why."""

    def remove_target(self, name: str) -> bool:
        """Forget a target; what runs there goes on."""

    def model(self) -> str:
        """The current variant as an option for models takes it (``#12``); empty without one."""

    def model_file(self) -> str:
        """The path of the current variant's file; empty without one."""

    def form(self, options: Sequence[Option], *, columns: int = 1) -> OptionForm:
        """A form for options; those of kind TARGET and MODEL offer what is known."""

    def say(self, text: str, tone: str = "") -> None:
        """Show one sentence; tone is ``good``, ``warning``, ``bad`` or empty."""

    def fail(self, error: BaseException) -> None:
        """Show an error: its sentence, what to do, and the detail behind a disclosure."""

    def color(self, token: str) -> QColor:
        """A colour of the theme in force (``accent``, ``dim``, ``good_text``)."""


class Panel(QWidget):
    """A plugin's part of a page; its factory is called with the host when it is first shown.

    A panel draws and asks: it parses no model and opens no connection, its steps do. What it
    raises is shown in its place and never ends the window.

    The window's style sheet dresses ordinary Qt widgets. Two dynamic properties choose more:
    ``kind`` of a QPushButton (``primary``, ``danger``, ``link``), and ``role`` of a QLabel
    (``heading``, ``section``, ``strong``, ``dim``, ``small``, ``mono``) or a QFrame (``card``).
    """

    def __init__(self, host: PanelHost) -> None:
        super().__init__()
        self.host = host

    def refresh(self) -> None:
        """Targets, releases or the current model may be others; called while it is shown."""

    def redress(self) -> None:
        """The theme is another one; take colours from the host again."""


__all__ = ["OptionForm", "Panel", "PanelHost", "RunningStep", "StepEnd"]

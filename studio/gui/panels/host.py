"""What the window does for one panel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from studio.api import Capability, Extension, Kind, Option, StudioError, TargetSpec
from studio.api.qt import RunningStep, StepEnd
from studio.gui.forms.editors import Choice
from studio.gui.forms.form import Form
from studio.gui.shell import Shell
from studio.workspace import JobFinished, JobMessage, JobProgressed

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, RunningJob, VariantRecord, Workspace


_PLACES = (Extension.TARGET, Extension.PLATFORM)


class PanelForm(Form):
    """A form for a panel's options; an ``api.qt.OptionForm``."""

    @property
    def widget(self) -> QWidget:
        """The form."""
        return self

    def on_submit(self, call: Callable[[], object]) -> None:
        """Call this when the user presses Enter in a field."""
        self.submitted.connect(lambda: call())


class Host:
    """The ``PanelHost`` of one panel.

    Attributes:
        owner: Whose children the steps are, so that a deleted panel gets no events.
        variant: The current variant.
    """

    def __init__(
        self,
        workspace: Workspace,
        shell: Shell,
        capability: Capability,
        owner: QWidget,
        variant: Callable[[], VariantRecord | None],
    ) -> None:
        self._workspace = workspace
        self._shell = shell
        self._variant = variant
        self._owner = owner
        self._schemes = _schemes(workspace, capability)
        self._steps: list[FollowedStep] = []

    def on_event(self, event: object) -> None:
        """Pass the workspace's events on to the steps that the panel has started."""
        self._steps = [step for step in list(self._steps) if not step.on_event(event)]

    # The PanelHost

    def start(self, step: str, /, **options: object) -> FollowedStep | None:
        """Start a step; None when it could not be, which the window has said."""
        job = self._shell.start(step, **options)
        if job is None:
            return None
        self._steps.append(FollowedStep(job, self._owner))
        return self._steps[-1]

    def targets(self) -> Sequence[TargetSpec]:
        """Return the targets whose scheme the plugin answers for."""
        known = self._workspace.registry.targets()
        return [target for target in known if target.url.partition(":")[0] in self._schemes]

    def facts(self, target: str) -> Mapping[str, Any]:
        """Return the facts of the last probe."""
        return self._workspace.registry.facts(target)

    def add_target(self, target: TargetSpec) -> bool:
        """Add or change a target."""
        return self._try(lambda: self._workspace.add_target(target))

    def remove_target(self, name: str) -> bool:
        """Forget a target."""
        return self._try(lambda: self._workspace.remove_target(name))

    def model(self) -> str:
        """Return the current variant's reference."""
        variant = self._variant()
        return f"#{variant.id}" if variant is not None else ""

    def model_file(self) -> str:
        """Return the path of the current variant's file."""
        variant = self._variant()
        return str(variant.path) if variant is not None else ""

    def form(self, options: Sequence[Option], *, columns: int = 1) -> PanelForm:
        """Return a form that offers the plugin's targets and the known models."""
        return PanelForm(options, self, columns=columns)

    def say(self, text: str, tone: str = "") -> None:
        """Show one sentence."""
        self._shell.notify(text, tone)

    def fail(self, error: BaseException) -> None:
        """Show an error."""
        self._shell.fail(error)

    def color(self, token: str) -> QColor:
        """Return a colour of the theme in force."""
        return self._shell.theming.current.color(token)

    # The forms' choices

    def choices(self, option: Option) -> Sequence[Choice] | None:
        """Return the targets and models that an option can name."""
        if option.kind is Kind.TARGET:
            return [(target.name, target.name) for target in self.targets()]
        if option.kind is Kind.MODEL:
            variants = self._workspace.registry.variants()
            return [(f"#{one.id}", f"{one.model_name} {one.name}") for one in variants]
        return None

    def _try(self, call: Callable[[], object]) -> bool:
        try:
            call()
        except StudioError as error:
            self._shell.fail(error)
            return False
        return True


def _schemes(workspace: Workspace, capability: Capability) -> frozenset[str]:
    """Return the schemes that a panel names in its manifest, else all of its plugin."""
    if capability.schemes:
        return frozenset(capability.schemes)
    plugin = workspace.plugins.plugin(capability.plugin)
    places = (one for one in plugin.capabilities if one.extension in _PLACES)
    return frozenset(scheme for one in places for scheme in one.schemes)


class FollowedStep(RunningStep):
    """The job of a step, followed to its end."""

    def __init__(self, job: RunningJob, parent: QObject) -> None:
        super().__init__(parent)
        self._job = job

    def cancel(self) -> None:
        """Cancel the step."""
        self._job.cancel()

    def on_event(self, event: object) -> bool:
        """Follow this step in the workspace's events; return whether it has ended."""
        if getattr(event, "job", None) is not self._job:
            return False
        if isinstance(event, JobProgressed):
            state = self._job.state
            self.progressed.emit(float(state.done), float(state.total), state.text)
        elif isinstance(event, JobMessage):
            self.message.emit(event.name, dict(event.values))
        elif isinstance(event, JobFinished) and self._job.outcome is not None:
            self.finished.emit(step_end(self._job.outcome))
            return True
        return False


def step_end(outcome: JobOutcome) -> StepEnd:
    """Return an outcome in the words of the public surface."""
    return StepEnd(outcome.ok, outcome.document, outcome.sentence, outcome.hint, outcome.error)

"""The events of a workspace and their subscribers; Qt-free."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.jobs import RunningJob


@dataclass(frozen=True, slots=True)
class JobStarted:
    """The start of a job."""

    job: RunningJob


@dataclass(frozen=True, slots=True)
class JobProgressed:
    """A job's ``state`` changed."""

    job: RunningJob


@dataclass(frozen=True, slots=True)
class JobMessage:
    """The work of a job sent a message of its own (a live sample, a finished row)."""

    job: RunningJob
    name: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobFinished:
    """A job's ``outcome`` is known, and the registry holds its record."""

    job: RunningJob


@dataclass(frozen=True, slots=True)
class RegistryChanged:
    """A change of rows in the registry.

    Attributes:
        what: ``targets``, ``records``, ``plans`` or ``plugins`` (what each may do).
    """

    what: str


@dataclass(frozen=True, slots=True)
class EndpointChanged:
    """The state of an endpoint changed (``workspace.endpoints``)."""

    target: str


@dataclass(frozen=True, slots=True)
class StageRead:
    """The results of a feature's stage were read: its word in the rail may be new."""

    variant: int


@dataclass(frozen=True, slots=True)
class NodeAsked:
    """A request to show a node in the graph of the current variant.

    Attributes:
        compare: Show the comparison with this variant instead.
    """

    name: str
    compare: bool = False


@dataclass(frozen=True, slots=True)
class NodeTimeAsked:
    """A request to show the time of a node of the current variant in its newest profile."""

    name: str


@dataclass(frozen=True, slots=True)
class PresetAsked:
    """A request to choose a preset for the next quantization.

    Attributes:
        chip: Name of the chip that it is for; empty for none.
    """

    preset: str
    chip: str = ""


@dataclass(frozen=True, slots=True)
class RunChanged:
    """The run of a pipeline went on.

    Attributes:
        state: As that of a ``RunInfo``.
        step: The step that began or ended; empty at the end of the run.
        number, total: Its position from 1, when it began; 0 when it ended.
    """

    run: str
    state: str
    step: str = ""
    number: int = 0
    total: int = 0


Event = (
    JobStarted
    | JobProgressed
    | JobMessage
    | JobFinished
    | RegistryChanged
    | EndpointChanged
    | StageRead
    | NodeAsked
    | NodeTimeAsked
    | PresetAsked
    | RunChanged
)
Listener = Callable[[Event], None]


def _directly(call: Callable[[], None]) -> None:
    call()


class Events:
    """A list of listeners.

    Events come from the threads of jobs. A window sets ``deliver`` to something that runs a call
    on its own thread; without it, listeners run on the thread that published.
    """

    def __init__(self) -> None:
        self.deliver: Callable[[Callable[[], None]], None] = _directly
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; returns what removes it."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Deliver an event to every listener."""
        self.deliver(lambda: self._notify(event))

    def _notify(self, event: Event) -> None:
        # A copy, as a listener may unsubscribe during the call.
        for listener in list(self._listeners):
            listener(event)

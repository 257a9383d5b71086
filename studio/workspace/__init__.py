"""The one object that the window and the command line talk to."""

from studio.workspace.events import (
    Event,
    Events,
    JobFinished,
    JobMessage,
    JobProgressed,
    JobStarted,
    RegistryChanged,
)
from studio.workspace.samples import SampleInfo
from studio.workspace.workspace import GraphView, Workspace

__all__ = [
    "Event",
    "Events",
    "GraphView",
    "JobFinished",
    "JobMessage",
    "JobProgressed",
    "JobStarted",
    "RegistryChanged",
    "SampleInfo",
    "Workspace",
]

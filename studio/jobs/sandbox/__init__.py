"""The walls around a worker: what it sees, may call and is told, by what this machine offers."""

from studio.jobs.sandbox.environment import contained, environment
from studio.jobs.sandbox.level import (
    NONE,
    Containment,
    Enforcement,
    Protection,
    SandboxLevel,
    containment,
)
from studio.jobs.sandbox.view import readable_around
from studio.jobs.sandbox.walls import Sandbox, SandboxedCommand

__all__ = [
    "NONE",
    "Containment",
    "Enforcement",
    "Protection",
    "Sandbox",
    "SandboxLevel",
    "SandboxedCommand",
    "contained",
    "containment",
    "environment",
    "readable_around",
]

"""The sandbox of a worker: its files, system calls and environment, as this machine allows."""

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

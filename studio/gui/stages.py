"""The stages of the rail, and the pages that are imported when they are first visited."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.gui.pages.base import Page


@dataclass(frozen=True, slots=True)
class Stage:
    """An entry of the rail.

    Attributes:
        page: ``"module:class"``.
        steps: Steps whose jobs belong to this stage.
        at_bottom: Not a step of the pipeline, but something around it.
    """

    id: str
    title: str
    page: str
    shortcut: str
    steps: frozenset[str] = frozenset()
    at_bottom: bool = False


def _stage(title: str, number: int, *steps: str, at_bottom: bool = False) -> Stage:
    name = title.lower()
    page = f"studio.gui.pages.{name}:{title}Page"
    return Stage(name, title, page, f"Ctrl+{number}", frozenset(steps), at_bottom)


STAGES = (
    _stage("Model", 1, "open", "inspect", "graph", "diff"),
    _stage("Quantize", 2, "quantize"),
    _stage("Profile", 3, "profile", "evaluate"),
    _stage("Deploy", 4, "package", "plan", "deploy", "rollback", "undeploy"),
    Stage("try", "Try it", "studio.gui.pages.try_it:TryItPage", "Ctrl+5", frozenset({"stream"})),
    _stage("Monitor", 6, "monitor", "call"),
    _stage("Runs", 7, at_bottom=True),
    _stage("Targets", 8, "target-probe", at_bottom=True),
    _stage("Plugins", 9, at_bottom=True),
)
WELCOME = Stage("welcome", "Welcome", "studio.gui.pages.welcome:WelcomePage", "Ctrl+0")
BY_ID = {stage.id: stage for stage in (*STAGES, WELCOME)}


def page_class(stage: Stage) -> type[Page]:
    """Import the page of a stage."""
    module, _, name = stage.page.partition(":")
    found: type[Page] = getattr(importlib.import_module(module), name)
    return found


def stage_of_step(step: str) -> str:
    """The stage whose page shows a step; empty for one that belongs to none."""
    return next((stage.id for stage in STAGES if step in stage.steps), "")

"""The stages of the rail, and the pages that are imported when they are first visited.

Each folder of a page, here or in a feature, declares its stage in a ``page.toml``: the keys are the
fields of ``Stage``. The page is ``NAMEPage`` in the ``page.py`` next to it; F1 shows its
``help.toml``.
"""

from __future__ import annotations

import importlib
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import studio
from studio.documents.dataclass_json import from_json
from studio.feature_host import Slot, added_texts
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.gui.pages.shared.base import Page
    from studio.gui.shell import Shell
    from studio.workspace import Workspace

_STUDIO = Path(studio.__file__).parent
_PLACES = ("gui/pages/*/page.toml", "features/*/pages/*/page.toml")


@dataclass(frozen=True, slots=True)
class Stage:
    """An entry of the rail.

    Attributes:
        id: The name of the folder, unless what is stored has another one.
        page: ``"module:class"``.
        place: Stages stand in the order of their places.
        steps: Steps whose jobs belong to this stage.
        at_bottom: Not a step of the pipeline, but something around it.
        entry: The stage whose button in the rail is marked, for a page that has none of its own.
        is_rare: A session may never need it. Three such pages take 60 MB and are made at their
            first visit.
        parts: Modules that are imported one by one before the page, as all at once would hold up
            the window. They are below ``studio.gui`` or have their whole names.
    """

    id: str
    title: str
    page: str
    shortcut: str = ""
    place: int = 0
    steps: tuple[str, ...] = ()
    at_bottom: bool = False
    entry: str = ""
    is_rare: bool = False
    parts: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The folder of the page."""
        module = self.page.partition(":")[0]
        return _STUDIO.parent.joinpath(*module.split(".")[:-1])

    @property
    def modules(self) -> tuple[str, ...]:
        """The whole names of the parts, and of the views that features add and their parts."""
        own = (part if part.startswith("studio.") else f"studio.gui.{part}" for part in self.parts)
        views: Slot[object] = Slot(f"views of {self.id}")
        return (*own, *added_texts(f"parts of {self.id}"), *views.modules())


def _declared(path: Path) -> Stage:
    folder = path.parent
    package = ".".join(("studio", *folder.relative_to(_STUDIO).parts))
    name = folder.name.title().replace("_", "")
    found = {"id": folder.name, "page": f"{package}.page:{name}Page"}
    found |= tomllib.loads(path.read_text(encoding="utf-8"))
    # A text is parsed in a tenth of the time that a list takes.
    words = {name: found[name].split() for name in ("steps", "parts") if name in found}
    stage = from_json(Stage, {**found, **words})
    return replace(stage, steps=(*stage.steps, *added_texts(f"steps of {stage.id}")))


_PAGES = sorted(
    (_declared(path) for places in _PLACES for path in _STUDIO.glob(places)),
    key=lambda stage: (stage.place, stage.id),
)
STAGES = tuple(stage for stage in _PAGES if not stage.entry)
"""The stages with a button in the rail."""

AHEAD = tuple(stage for stage in STAGES if not stage.is_rare)
"""The stages whose pages are made before their first visit."""

BY_ID = {stage.id: stage for stage in _PAGES}


def new_page(stage: str, workspace: Workspace, shell: Shell) -> Page:
    """Import the page of a stage and create it; its ``build`` does the rest."""
    module, _, name = BY_ID[stage].page.partition(":")
    created: Page = getattr(importlib.import_module(module), name)(workspace, shell)
    return created


def stage_of_step(step: str) -> str:
    """Return the stage whose page shows a step; empty for one that belongs to none."""
    return next((stage.id for stage in STAGES if step in stage.steps), "")

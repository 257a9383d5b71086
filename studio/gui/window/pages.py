"""The pages of the window, made on their first visit or before it, in pieces."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from studio.gui.widgets.late_view import LateFrame
from studio.gui.window.stages import Stage

if TYPE_CHECKING:
    from studio.gui.pages.shared.base import Page
    from studio.workspace import Event, VariantRecord

log = logging.getLogger(__name__)


class Pages:
    """All pages that are complete, and those that are being made.

    Args:
        create: Creates the page of a stage; its ``build`` does the rest.
        adopt: Called with a page that is complete, before anything else is done with it.
    """

    def __init__(self, create: Callable[[str], Page], adopt: Callable[[Page], object]) -> None:
        self._create, self._adopt = create, adopt
        self._complete: dict[str, Page] = {}
        self._work: dict[str, Iterator[None]] = {}
        self._missed: list[Event] = []

    def __iter__(self) -> Iterator[Page]:
        return iter(list(self._complete.values()))

    def get(self, stage: str) -> Page:
        """Return the page of a stage, which is made now if it is not there."""
        for _piece in self.making(stage):
            pass
        return self._complete[stage]

    def making(self, stage: str) -> Iterator[None]:
        """Yield between the pieces of work that are left of a page.

        A visit in between does all that is left.
        """
        if stage not in self._complete:
            yield from self._work.setdefault(stage, self._make(stage))

    def _make(self, stage: str) -> Iterator[None]:
        try:
            page = self._create(stage)
            yield
            for _piece in page.build():
                yield
        finally:
            del self._work[stage]
        self._adopt(page)
        self._complete[stage] = page
        for event in self._missed:
            page.on_event(event)
        if not self._work:
            self._missed = []

    def ahead(self, stages: Iterable[Stage]) -> Iterator[None]:
        """Yield between the pieces of making the page of each stage."""
        for stage in stages:
            for module in stage.modules:
                import_module(module)
                yield
            try:
                yield from self.making(stage.id)
            except (ImportError, AttributeError):
                log.warning("the page %s cannot be made ahead", stage.id, exc_info=True)
                continue
            for frame in self._complete[stage.id].findChildren(LateFrame):
                yield
                frame.complete()
            # Pages stay: Python's collector of cycles need not look at them again, for which it
            # would take 50 ms at once.
            gc.freeze()
            yield

    def on_event(self, event: Event) -> None:
        """Pass an event of the workspace on to all pages; to those that are made now, later."""
        if self._work:
            self._missed.append(event)
        for page in self:
            page.on_event(event)

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Show another current variant on all pages."""
        for page in self:
            page.show_variant(variant)

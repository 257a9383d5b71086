"""The panels of all plugins, each on the page of its area."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from studio.api import Capability, Extension, StudioError
from studio.api.plugin import PANEL_AREAS
from studio.documents.defects import unforeseen
from studio.gui.shell import Shell, VisitedPage, WindowParts
from studio.workspace import RegistryChanged

if TYPE_CHECKING:
    from studio.gui.panels.frame import PanelFrame
    from studio.workspace import Event, VariantRecord, Workspace


class Panels:
    """The plugins' panels, found in the background and added as views of their pages."""

    def __init__(self, window: WindowParts) -> None:
        self._window = window
        self._workspace = window.workspace
        self._frames: dict[tuple[str, str], PanelFrame] = {}
        self._found: tuple[Capability, ...] = ()
        self._faults = ErrorGuard(self._workspace, window)
        self._unsubscribe = self._workspace.events.subscribe(self._on_event)
        window.current.changed.connect(self._refresh)

    def find(self) -> None:
        """Find panels on the background thread, then show them."""
        self._workspace.in_background(
            lambda: self._workspace.plugins.all(Extension.PANEL), self._on_capabilities
        )

    def add_to(self, page: VisitedPage) -> None:
        """Add the panels of a page's area, each once."""
        if not self._found:
            return
        from studio.gui.panels.frame import PanelFrame  # not before the first page is seen

        for capability in self._found:
            key = (capability.plugin, capability.id)
            if capability.area == page.stage and key not in self._frames:
                frame = PanelFrame(self._workspace, self._window, capability, self._variant)
                self._frames[key] = frame
                number = page.add_panel(capability.title, frame, folded=True)
                self._window.theming.dress_soon(frame)  # the page may have been dressed before
                show = functools.partial(self._show, page, number)
                page.add_command(f"Show {capability.title}", show)

    def _show(self, page: VisitedPage, number: int) -> None:
        self._window.go(page.stage)
        page.show_view(number)

    def close(self) -> None:
        """Unsubscribe from the events."""
        self._unsubscribe()
        self._faults.close()

    def _on_capabilities(self, found: tuple[Capability, ...] | Exception) -> None:
        if not isinstance(found, Exception):
            self._found = tuple(one for one in found if one.area in PANEL_AREAS)
            for page in self._window.pages():
                self.add_to(page)

    def _on_event(self, event: Event) -> None:
        for frame in list(self._frames.values()):
            frame.on_event(event)
        if isinstance(event, RegistryChanged) and event.what == "plugins":
            self.find()

    def _refresh(self) -> None:
        for frame in self._frames.values():
            frame.refresh_soon()

    def _variant(self) -> VariantRecord | None:
        return self._window.current.variant


_Hook = Callable[[type[BaseException], BaseException, TracebackType | None], object]


class ErrorGuard:
    """The hook that shows and counts errors of plugins; all others reach the previous hook.

    Qt's calls into Python end at ``sys.excepthook``; the frames of the traceback name the plugin.
    """

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        self._workspace = workspace
        self._shell = shell
        self._before: _Hook = sys.excepthook
        self._own: _Hook = self._on_exception  # one object, to be recognised again
        sys.excepthook = self._own

    def close(self) -> None:
        """Put the hook back that was there before."""
        if sys.excepthook is self._own:
            sys.excepthook = self._before

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        plugin = self._workspace.culprit(error) if isinstance(error, Exception) else ""
        if not plugin:
            self._before(kind, error, trace)
        elif isinstance(error, StudioError):
            self._shell.fail(error)
        else:
            sentence = unforeseen(error, f"The plugin {plugin}")
            self._shell.fail(StudioError(sentence, detail=_detail(error)))
            self._workspace.plugin_crashed(plugin, sentence)


def _detail(error: BaseException) -> str:
    import traceback

    return "".join(traceback.format_exception(error))

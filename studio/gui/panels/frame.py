"""The place of one panel on a page, which outlives whatever the panel does."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from shiboken6 import isValid

from studio.api import Capability, StudioError
from studio.api.qt import Panel, PanelHost
from studio.documents.defects import unforeseen
from studio.gui.panels.host import Host
from studio.gui.shell import Shell
from studio.gui.widgets.basics import Hint, Scroll
from studio.workspace import RegistryChanged

if TYPE_CHECKING:
    from studio.workspace import VariantRecord, Workspace

log = logging.getLogger(__name__)


class PanelFrame(QWidget):
    """A plugin's panel, or the reason that it failed.

    The panel is made when it is first shown. An error while it is made, updated or styled
    replaces the panel, with a button that makes it again.

    Attributes:
        panel: None until it is shown, and after it has failed.
    """

    def __init__(
        self,
        workspace: Workspace,
        shell: Shell,
        capability: Capability,
        variant: Callable[[], VariantRecord | None],
    ) -> None:
        super().__init__()
        self.capability = capability
        self.panel: Panel | None = None
        self._workspace = workspace
        self._shell = shell
        self._variant = variant
        self._host: Host | None = None
        self._content: QWidget | None = None
        self._stale = True
        self._is_withheld = False
        self.setAccessibleName(capability.title)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        shell.theming.changed.connect(self.redress)

    def showEvent(self, event: QShowEvent) -> None:
        """Make the panel, or update it with the changes since it was shown."""
        super().showEvent(event)
        if self._content is None:
            self._make_when_loaded()
        elif self._stale:
            self._refresh()

    def on_event(self, event: object) -> None:
        """React to the ends of steps, and to changes of the panel's data."""
        if self._host is not None:
            self._host.on_event(event)
        if isinstance(event, RegistryChanged):
            if event.what == "plugins":
                self._check_standing()
            self.refresh_soon()

    def refresh_soon(self) -> None:
        """Refresh the panel, now or when it is shown."""
        self._stale = True
        if self.isVisible():
            self._refresh()

    def redress(self) -> None:
        """Apply a changed theme to the panel."""
        if self.panel is not None:
            self._guarded(self.panel.redress)

    def _make_when_loaded(self) -> None:
        """Import a built-in plugin first, on another thread, as that may take a second.

        Others may make objects of Qt as they are imported, which belong to the window's thread.
        """
        plugins = self._workspace.plugins
        known = self.capability.factory.partition(":")[0] in sys.modules
        if known or not plugins.plugin(self.capability.plugin).built_in:
            self.make()
            return
        self._show(Hint(f"Loading {self.capability.title}…"))
        self._workspace.in_background(lambda: plugins.load(self.capability), self._loaded)

    def _loaded(self, _factory: object) -> None:
        """Make the panel; an error of the import comes once more, and is explained.

        The panel is styled and laid out in the next turn, which takes as long as to make it.
        """
        if isValid(self) and self._host is None and (holder := self._make_panel()) is not None:
            QTimer.singleShot(0, self, lambda: self._show_panel(holder))

    def make(self) -> None:
        """Make the panel again from the start."""
        self._remove_content()
        if (holder := self._make_panel()) is not None:
            self._show_panel(holder)

    def _make_panel(self) -> Scroll | None:
        """Make the panel, in a holder that is not shown yet; None where it failed."""
        plugins = self._workspace.plugins
        holder = Scroll()
        self._host = Host(self._workspace, self._shell, self.capability, holder, self._variant)
        try:
            host: PanelHost = self._host
            panel = plugins.call(self.capability, host)
            if not isinstance(panel, Panel):
                raise TypeError(f"{self.capability.factory} makes no studio.api.qt.Panel")
        except StudioError as error:
            self._explain(error.message, str(getattr(error, "plugin", "")))
            return None
        except Exception as error:
            log.exception("a panel was not made", extra={"plugin": self.capability.plugin})
            self._explain(_sentence(self.capability, error), self.capability.plugin)
            return None
        self.panel = panel
        if (layout := panel.layout()) is not None:
            layout.setContentsMargins(0, 0, 0, 0)  # the page has its own around it
        holder.body.addWidget(panel, 1)
        return holder

    def _show_panel(self, holder: Scroll) -> None:
        """Show a panel that was made, unless it was removed since."""
        panel = self.panel
        if panel is None or not isValid(panel) or not holder.isAncestorOf(panel):
            return
        self._remove_content(keep=True)
        self._show(holder)
        self._refresh()

    def _refresh(self) -> None:
        self._stale = False
        if self.panel is not None:
            self._guarded(self.panel.refresh)

    def _guarded(self, call: Callable[[], object]) -> None:
        try:
            call()
        except StudioError as error:
            self._shell.fail(error)
        except Exception as error:
            log.exception("a panel failed", extra={"plugin": self.capability.plugin})
            self._explain(_sentence(self.capability, error), self.capability.plugin)

    def _explain(self, sentence: str, plugin: str) -> None:
        """Show the reason in place of the panel, and count a failure of the plugin."""
        self._remove_content()
        title = f"{self.capability.title} cannot be shown"
        self._show(Hint(title, sentence, "Try again", self.make))
        if plugin:
            self._workspace.plugin_crashed(plugin, sentence)

    def _check_standing(self) -> None:
        """Remove the panel, with the reason, when its plugin may no longer be used."""
        plugin = self._workspace.plugins.plugin(self.capability.plugin)
        if self._content is not None and plugin.state.value != "available":
            self._remove_content()
            self._is_withheld = True
            title = f"{self.capability.title} is not available"
            go = self._shell.go
            self._show(Hint(title, plugin.reason, "Go to Plugins", lambda: go("plugins")))
        elif self._is_withheld:  # a panel that failed waits for the user instead
            self._is_withheld = False
            self._remove_content()
            if self.isVisible():
                self.make()

    def _show(self, content: QWidget) -> None:
        self._content = content
        self._layout.addWidget(content)

    def _remove_content(self, keep: bool = False) -> None:
        """Remove what is shown, and with it the panel unless another one is to be shown."""
        content, self._content = self._content, None
        if not keep:
            self.panel = self._host = None
        if content is not None:
            self._layout.removeWidget(content)
            content.hide()
            content.deleteLater()


def _sentence(capability: Capability, error: Exception) -> str:
    return unforeseen(error, f"The plugin {capability.plugin}")

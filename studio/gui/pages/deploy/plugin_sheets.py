"""The kinds of targets that plugins bring, and the sheets that connect to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.api import Capability, Extension, StudioError
from studio.api.sheets import DeploySheet
from studio.gui.pages.deploy import target_kinds
from studio.gui.pages.deploy.target_kinds import TargetKind

if TYPE_CHECKING:
    from studio.workspace import Workspace

_EXTENSIONS = (Extension.SHEET, Extension.TARGET, Extension.PLATFORM)

PluginKinds = tuple[list[Capability], dict[str, str]]
"""What describes kinds of targets, and by plugin why it cannot be used."""


class PluginSheets:
    """The sheet of each kind, made when it is first needed.

    Attributes:
        kinds: All kinds that are known; this computer alone until the plugins are read.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._capabilities: dict[str, Capability] = {}
        self._sheets: dict[str, DeploySheet | None] = {}
        self.kinds: list[TargetKind] = [target_kinds.LOCAL]

    def read(self) -> PluginKinds:
        """Read the plugins, which takes a while."""
        plugins = [one for one in self._workspace.plugins.plugins if one.built_in or not one.reason]
        offered = [one for plugin in plugins for one in plugin.capabilities]
        found = [one for kind in _EXTENSIONS for one in offered if one.extension is kind]
        return found, {plugin.id: plugin.reason for plugin in plugins}

    def take(self, found: PluginKinds) -> None:
        """Offer the kinds that were read."""
        capabilities, reasons = found
        self._capabilities = {c.id: c for c in capabilities if c.extension is Extension.SHEET}
        self.kinds = target_kinds.kinds(capabilities, reasons)

    def of(self, kind: TargetKind) -> DeploySheet | None:
        """Return the sheet of a kind; None where it has none.

        Raises:
            StudioError: when its plugin makes no sheet; only the first time.
        """
        known = kind.id in self._capabilities and not kind.reason
        if known and kind.id not in self._sheets:
            self._sheets[kind.id] = None
            capability = self._capabilities[kind.id]
            made = self._workspace.plugins.call(capability)
            if not isinstance(made, DeploySheet):
                raise StudioError(f"{capability.factory} makes no studio.api.sheets.DeploySheet.")
            self._sheets[kind.id] = made
        return self._sheets.get(kind.id)

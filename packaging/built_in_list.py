"""Hatchling's hook that lists the folders of ``plugins/`` in the wheel, as the built-in plugins."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LIST = "studio/plugin_host/built_in.txt"


class BuiltInList(BuildHookInterface[Any]):
    """Adds the list to a wheel; an editable one reads the checkout's folders."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        manifests = sorted(Path(self.root).glob("plugins/studio_*/plugin.toml"))
        self._folder = tempfile.TemporaryDirectory()  # is read when the hook has returned
        listed = Path(self._folder.name, "built_in.txt")
        listed.write_text("".join(f"{manifest.parent.name}\n" for manifest in manifests))
        build_data["force_include"][str(listed)] = LIST

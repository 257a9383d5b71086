"""Importing of plugins that did not come with the studio, and finding out which one failed."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FrameType, ModuleType, TracebackType

import studio

_STUDIO = Path(studio.__file__).parent
_API = _STUDIO / "api"


class _SourceLoader(importlib.machinery.SourceFileLoader):
    """Compiles the source that was agreed to, never cached bytecode that nobody looked at."""

    def path_stats(self, path: str) -> dict[str, float]:
        """Have none, so that no cache is read and none is written."""
        raise OSError(path)


class PluginFinder(MetaPathFinder):
    """Finds the modules of plugins in their own folders, whatever else has the same name."""

    def __init__(self) -> None:
        self.folders: dict[str, Path] = {}
        self.digests: dict[str, str] = {}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """The spec of a module of a plugin; None for anything else."""
        top, _, rest = fullname.partition(".")
        folder = self.folders.get(top)
        if folder is None:
            return None
        if not rest:
            return _package(fullname, folder)
        for entry in path or ():
            spec = _finder(entry).find_spec(fullname)
            if spec is not None:
                return spec
        raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


def _package(name: str, folder: Path) -> ModuleSpec | None:
    file = str(folder / "__init__.py")
    return importlib.util.spec_from_file_location(
        name, file, loader=_SourceLoader(name, file), submodule_search_locations=[str(folder)]
    )


def _finder(folder: str) -> importlib.machinery.FileFinder:
    native = (
        importlib.machinery.ExtensionFileLoader,
        importlib.machinery.EXTENSION_SUFFIXES,
    )
    return importlib.machinery.FileFinder(
        folder, native, (_SourceLoader, importlib.machinery.SOURCE_SUFFIXES)
    )


_FINDER = PluginFinder()


def make_importable(plugin: str, folder: Path, digest: str = "") -> None:
    """Let a plugin's package be imported, from its own folder alone.

    Args:
        digest: Of its files; what was imported of others is forgotten.
    """
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    if (_FINDER.folders.get(plugin), _FINDER.digests.get(plugin)) != (folder, digest):
        forget(plugin)
        _FINDER.folders[plugin], _FINDER.digests[plugin] = folder, digest


def forget(plugin: str) -> None:
    """Let a plugin be imported anew, as after its files have changed."""
    _FINDER.folders.pop(plugin, None)
    for name in [name for name in sys.modules if name.partition(".")[0] == plugin]:
        del sys.modules[name]


def culprit(error: BaseException, folders: Mapping[str, Path] | None = None) -> str:
    """The plugin whose code raised an error, empty where it was the studio's own.

    The innermost frame decides that belongs to either; libraries between them are passed over.

    Args:
        folders: Where plugins lie, by id; by default those that did not come with the studio.
    """
    folders = _FINDER.folders if folders is None else folders
    frames: list[FrameType] = []
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    for frame in reversed(frames):
        file = Path(frame.f_code.co_filename)
        for plugin, folder in folders.items():
            if file.is_relative_to(folder):
                return plugin
        if file.is_relative_to(_STUDIO) and not file.is_relative_to(_API):
            return ""
    return ""

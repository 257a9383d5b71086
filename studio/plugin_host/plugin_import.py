"""Importing of plugins that did not come with the studio, and finding out which one failed."""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import Any

import studio
from studio.api import Refused

_STUDIO = Path(studio.__file__).parent
_API = _STUDIO / "api"


class _SourceLoader(importlib.machinery.SourceFileLoader):
    """A loader that compiles the source with consent, never unchecked cached bytecode."""

    def path_stats(self, path: str) -> dict[str, float]:
        """Raise an error, so that no bytecode cache is read or written."""
        raise OSError(path)

    def source_to_code(  # type: ignore[override]  # the stub declares it static, which it is not
        self, data: Any, path: Any, *, _optimize: int = -1
    ) -> CodeType:
        """Compile just the bytes that were compared, if they are those that were agreed to."""
        _FINDER.check(self.name, Path(self.path), hashlib.sha256(data).digest())
        return super().source_to_code(data, path)


class _NativeLoader(importlib.machinery.ExtensionFileLoader):
    """A loader of native libraries with the user's consent."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Load the library, if the user's consent covers its content."""
        content = Path(self.path).read_bytes()
        _FINDER.check(self.name, Path(self.path), hashlib.sha256(content).digest())
        return super().create_module(spec)


class PluginFinder(MetaPathFinder):
    """The finder of plugins' modules in their own folders, also against equal names elsewhere."""

    def __init__(self) -> None:
        self.folders: dict[str, Path] = {}
        self.digests: dict[str, str] = {}
        self.files: dict[str, Mapping[Path, bytes]] = {}

    def check(self, module: str, path: Path, digest: bytes) -> None:
        """See that a module's file is as its user agreed to it, however late it is imported.

        Raises:
            Refused: when it was changed since, or was not there.
        """
        plugin = module.partition(".")[0]
        agreed = self.files.get(plugin)
        if agreed is not None and agreed.get(path) != digest:
            raise Refused(
                f"{path.name} of the plugin {plugin} has changed since you allowed it, and was "
                "not run.",
                hint="Review the plugin on the Plugins page, or with: studio plugins list",
            )

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return the spec of a module of a plugin; None for anything else."""
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
        _NativeLoader,
        importlib.machinery.EXTENSION_SUFFIXES,
    )
    return importlib.machinery.FileFinder(
        folder, native, (_SourceLoader, importlib.machinery.SOURCE_SUFFIXES)
    )


_FINDER = PluginFinder()


def make_importable(
    plugin: str, folder: Path, digest: str = "", files: Mapping[Path, bytes] | None = None
) -> None:
    """Allow the import of a plugin's package, from its own folder alone.

    Args:
        digest: Of its files; what was imported of others is forgotten.
        files: The digest of each; None for a plugin that needs no consent.
    """
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    if (_FINDER.folders.get(plugin), _FINDER.digests.get(plugin)) != (folder, digest):
        forget(plugin)
        _FINDER.folders[plugin], _FINDER.digests[plugin] = folder, digest
    if files is None:
        _FINDER.files.pop(plugin, None)
    else:
        _FINDER.files[plugin] = files


def forget(plugin: str) -> None:
    """Forget a plugin's modules, so that changed files are imported."""
    _FINDER.folders.pop(plugin, None)
    for name in [name for name in sys.modules.copy() if name.partition(".")[0] == plugin]:
        del sys.modules[name]


def culprit(error: BaseException, folders: Mapping[str, Path] | None = None) -> str:
    """Return the plugin whose code raised an error, empty where it was the studio's own.

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

"""The folder of a new plugin, made from the templates in ``resources/templates/plugin``."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from studio.api import API_VERSION, UsageError
from studio.plugin_host.discovery import GROUP
from studio.settings import resource

KINDS = (
    "target",
    "platform",
    "backend",
    "format",
    "transform",
    "metric",
    "packager",
    "registry",
    "monitor",
    "check",
    "analyzer",
    "panel",
)
"""What a new plugin can offer; each is a folder of templates."""

_NAME = re.compile(r"[a-z][a-z0-9_]{2,40}")
_SUFFIX = ".txt"


def make_plugin(name: str, kind: str, folder: Path) -> list[str]:
    """Write a plugin that passes ``studio plugins check``.

    Args:
        name: Its id, which is the name of its Python package.
        kind: One of KINDS.
        folder: Where the project goes; it must not exist, or be empty.

    Returns:
        The files that were written, relative to the folder.

    Raises:
        UsageError: for a name that cannot be one, a kind that is none, or a folder in use.
    """
    if not _NAME.fullmatch(name) or name.startswith("studio"):
        raise UsageError(
            f"Invalid plugin name {name!r}.",
            hint="Use lower-case letters, digits and _, from three letters on; not studio….",
        )
    if kind not in KINDS:
        raise UsageError(f"Unknown kind {kind!r}.", hint=f"Known: {', '.join(KINDS)}.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} exists.", hint="Choose another folder with --out.")
    words = _words(name, kind)
    files = {**_templates("common", words), **_templates(kind, words)}
    for file, text in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return sorted(files)


def _words(name: str, kind: str) -> dict[str, str]:
    title = name.replace("_", " ").capitalize()
    manifest = resource("templates", "plugin", kind, "manifest.txt").read_text(encoding="utf-8")
    words = {
        "NAME": name,
        "DISTRIBUTION": name.replace("_", "-"),
        "TITLE": title,
        "CLASS": "".join(part.capitalize() for part in name.split("_")),
        "SCHEME": name.replace("_", "-"),
        "KIND": kind,
        "API": str(API_VERSION),
        "GROUP": GROUP,
    }
    needs = tomllib.loads(manifest)["requires"]
    return {**words, "MANIFEST": _replaced(manifest, words), "DEPENDENCIES": json.dumps(needs)}


def _templates(folder: str, words: Mapping[str, str]) -> dict[str, str]:
    """Return the files of a folder of templates, by the path that each is to have."""
    found = {}
    root = resource("templates", "plugin", folder)
    for path in sorted(root.rglob(f"*{_SUFFIX}")):
        name = path.relative_to(root).as_posix().removesuffix(_SUFFIX)
        if name != "manifest":
            found[_replaced(name, words)] = _filled(path, words)
    return found


def _filled(path: Path, words: Mapping[str, str]) -> str:
    return _replaced(path.read_text(encoding="utf-8"), words)


def _replaced(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"@([A-Z]+)@", lambda match: words.get(match[1], match[0]), text)

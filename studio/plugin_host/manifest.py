"""Reading of ``plugin.toml``."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.api import API_VERSION, Capability, Extension, Manifest, Permission
from studio.documents.toml_text import loads
from studio.plugin_host.environments.declaration import read_need

FILE_NAME = "plugin.toml"
_OLDEST_API = 1
_WITHOUT_EFFECT = {
    "commands": "Its table [[commands]] has no effect: the extension point was removed in version "
    "2 of the plugin API.",
}
"""Tables that earlier versions of the API knew, and what the user is told of each."""

_FACTORY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{2,63}")


class ManifestError(Exception):
    """A manifest that cannot be used, in one sentence."""


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest.

    Raises:
        ManifestError: naming the file and the key at fault.
    """
    try:
        return _manifest_of(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(f"{path} cannot be read: {error}.") from None
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"{path}: {_reason(error)}.") from None


def _reason(error: Exception) -> str:
    return f"the key {error} is missing" if isinstance(error, KeyError) else str(error)


@functools.lru_cache(maxsize=256)
def _manifest_of(text: str) -> Manifest:
    """Return the manifest of a text; a process that looks for plugins again parses none twice."""
    return _manifest(loads(text))


def _manifest(table: Mapping[str, Any]) -> Manifest:
    identifier = str(table["id"])
    if not _IDENTIFIER.fullmatch(identifier):
        raise ValueError(f"the id {identifier!r} is not a lower-case package name")
    return Manifest(
        id=identifier,
        name=str(table["name"]),
        version=str(table["version"]),
        api=int(table["api"]),
        requires=_texts(table, "requires"),
        optional=_texts(table, "optional"),
        permissions=frozenset(Permission(text) for text in _texts(table, "permissions")),
        capabilities=tuple(_capabilities(identifier, table)),
        description=str(table.get("description", "")),
        environment=read_need(table["environment"]) if "environment" in table else None,
        notes=tuple(text for key, text in _WITHOUT_EFFECT.items() if key in table),
    )


def _texts(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = table.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{key} must be a list of texts")
    return tuple(values)


def _capabilities(plugin: str, table: Mapping[str, Any]) -> list[Capability]:
    found = []
    for extension in Extension:
        for entry in table.get(extension.value, []):
            rest = dict(entry)
            factory, name = str(rest.pop("factory")), str(rest.pop("id"))
            if not _FACTORY.fullmatch(factory):
                raise ValueError(f"the factory {factory!r} is not 'package.module:attribute'")
            title = str(rest.pop("title", name))
            found.append(Capability(extension, name, title, factory, plugin, rest))
    return found


def supported(manifest: Manifest) -> bool:
    """Return whether this studio speaks the manifest's version of the API."""
    return _OLDEST_API <= manifest.api <= API_VERSION

"""The registries that the user has named, and the meaning of names and addresses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

from studio.api import Extension, StudioError, Unavailable, UsageError
from studio.external_registries.reference import RegistryAddress
from studio.plugin_host import PluginHost
from studio.settings import write_atomically

_NAME = re.compile(r"[\w.\-]{1,64}", re.ASCII)
_FILE = "registries.json"


class SavedRegistries:
    """The file with names of registries' addresses; it never contains a login."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE

    def all(self) -> dict[str, str]:
        """Return the address of each name.

        Raises:
            StudioError: when the file is damaged.
        """
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(name): str(address) for name, address in found.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError) as error:
            raise StudioError(f"{self._path} cannot be read: {error}.") from None

    def add(self, name: str, address: str) -> None:
        """Name an address.

        Raises:
            UsageError: for an invalid name or address.
        """
        if not _NAME.fullmatch(name) or name in _kinds():
            raise UsageError(f"Invalid registry name {name!r}.", hint="Choose another name.")
        _by_address(address)
        self._write({**self.all(), name: address})

    def remove(self, name: str) -> None:
        """Remove a name; the registry itself is unchanged.

        Raises:
            UsageError: when the name is unknown.
        """
        known = self.all()
        if known.pop(name, None) is None:
            raise UsageError(f"Unknown registry {name!r}.", hint=_hint(known))
        self._write(known)

    def place(self, text: str) -> RegistryAddress:
        """Resolve a name, a kind (``mlflow``) or an address.

        Raises:
            UsageError: when the text is unknown.
            Unavailable: when no plugin connects to such a registry.
        """
        known = self.all()
        if text in known:
            return _by_address(known[text])
        if text in _kinds():
            return RegistryAddress(text)
        if "://" in text:
            return _by_address(text)
        raise UsageError(f"Unknown registry {text!r}.", hint=_hint(known))

    def _write(self, known: dict[str, str]) -> None:
        write_atomically(self._path, json.dumps(known, indent=2, sort_keys=True).encode() + b"\n")


def _by_address(address: str) -> RegistryAddress:
    try:
        parts = urlsplit(address)
    except ValueError:
        raise UsageError(f"{address!r} is not an address.") from None
    # Addresses are stored as plain text, and appear in results and logs.
    if parts.username or parts.password:
        raise UsageError(
            "The address of a registry carries no login.",
            hint="Its plugin reads the login where the registry's own client does.",
        )
    for kind, schemes in _kinds().items():
        if parts.scheme in schemes and parts.netloc:
            return RegistryAddress(kind, address)
    raise Unavailable(f"No plugin connects to a registry at {address!r}.")


def _kinds() -> dict[str, tuple[str, ...]]:
    """Return the schemes of each kind of registry, without importing a plugin."""
    return {
        capability.id: tuple(capability.extra.get("schemes", ()))
        for capability in PluginHost.discover().all(Extension.REGISTRY)
    }


def _hint(known: dict[str, str]) -> str:
    names = ", ".join([*sorted(known), *_kinds()])
    return f"Known: {names}. Or pass an address: http://host:5000 or oci://HOST/PATH"

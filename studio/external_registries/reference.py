"""Addresses of registries, and references to versions: ``NAME/VERSION`` or ``NAME@ALIAS``."""

from __future__ import annotations

from studio.api import ModelVersion, RegistrySession, UsageError
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class RegistryAddress:
    """The address of a registry, with the plugin that connects to it.

    Attributes:
        kind: The capability's id (``mlflow``).
        address: A URL; empty for the one in the plugin's own configuration.
    """

    kind: str
    address: str = ""


def split_address(text: str) -> tuple[str, str]:
    """Split ``oci://HOST/PATH/NAME@sha256:...`` or ``...:TAG`` into a registry and a version.

    Returns:
        An address and a reference; an empty address for a text without one.
    """
    if "://" not in text:
        return "", text
    head, slash, last = text.rpartition("/")
    if head.endswith("/") or not slash or not last:
        return "", text
    name, colon, tag = last.partition(":")
    return head, f"{name}@{tag}" if colon and "@" not in name else last


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to a version of a registered model; by default to the newest."""

    name: str
    version: str = ""
    alias: str = ""

    @classmethod
    def of(cls, text: str) -> Reference:
        """Parse a reference.

        Raises:
            UsageError: when the text is no reference.
        """
        alias = slash = version = ""
        name, at, last = text.rpartition("@")
        if at:
            alias = last
        else:
            name, slash, version = text.partition("/")
        if not name or (at and not alias) or (slash and not version):
            raise UsageError(
                f"{text!r} names no version of a registry.",
                hint="Write NAME, NAME/VERSION or NAME@ALIAS.",
            )
        return cls(name, version, alias)

    def find(self, session: RegistrySession) -> ModelVersion:
        """Return the version that the reference means now."""
        return session.find(self.name, version=self.version, alias=self.alias)

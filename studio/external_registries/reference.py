"""Addresses of registries, and references to versions: ``NAME/VERSION`` or ``NAME@ALIAS``."""

from __future__ import annotations

from dataclasses import dataclass

from studio.api import ModelVersion, RegistrySession, UsageError


@dataclass(frozen=True, slots=True)
class RegistryAddress:
    """A registry, by the plugin that speaks to it and its address.

    Attributes:
        kind: The capability's id (``mlflow``).
        address: A URL; empty for the one that the kind's own configuration names.
    """

    kind: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A registered model, and which of its versions; the newest where neither is given."""

    name: str
    version: str = ""
    alias: str = ""

    @classmethod
    def of(cls, text: str) -> Reference:
        """Read a reference.

        Raises:
            UsageError: when it is none.
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
        """The version that it means now."""
        return session.find(self.name, version=self.version, alias=self.alias)

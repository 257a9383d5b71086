"""Triggers of pipelines: an alias, of any registry, that has moved to another version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from studio.api import StudioError, UsageError
from studio.jobs import JobOutcome
from studio.registry import Registry

Run = Callable[..., JobOutcome]
"""Runs a step, named first, with its options to its end."""


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias to be watched: ``digits@production``.

    Attributes:
        registry: The name or address of a registry; empty for the built-in one.
    """

    model: str
    name: str
    registry: str = ""

    @classmethod
    def of(cls, text: str, registry: str | None) -> Alias:
        """The alias that a text names.

        Raises:
            UsageError: when it names none.
        """
        model, at, name = text.partition("@")
        if not (model and at and name):
            raise UsageError(f"{text!r} names no alias.", hint="Write it as MODEL@ALIAS.")
        return cls(model, name, registry or "")

    def __str__(self) -> str:
        where = f" in {self.registry}" if self.registry else ""
        return f"{self.model}@{self.name}{where}"


class Trigger:
    """Looks at an alias, and says once for each version that it stands for it."""

    def __init__(self, alias: Alias, registry: Registry, run: Run) -> None:
        self._alias, self._registry, self._run = alias, registry, run
        self._seen = ""

    def look(self) -> Mapping[str, Any] | None:
        """What a pipeline is to know of a new version, as ``${trigger...}``; None for no new one.

        A version is told once, whatever becomes of its run; it is not tried again before the
        alias has moved.

        Raises:
            StudioError: when the registry does not answer, or the version cannot be fetched.
        """
        found = self._there() if self._alias.registry else self._here()
        version = str(found["version"]) if found else ""
        if version == self._seen:
            return None
        self._seen = version
        if not found:
            return None
        return self._fetched(version) if self._alias.registry else found

    def _here(self) -> dict[str, Any] | None:
        alias = self._alias
        for model in self._registry.models():
            if model.name != alias.model:
                continue
            stands = {one.name: one.version for one in self._registry.ledger.aliases(model.id)}
            for version in self._registry.versions(model.id):
                if version.id == stands.get(alias.name):
                    return _told(alias, version.number, version.variant, str(version.path))
        return None

    def _there(self) -> dict[str, Any] | None:
        result = self._ask("registry-list", name=self._alias.model)
        for version in result["versions"]:
            if self._alias.name in version["aliases"]:
                return {"version": str(version["version"])}
        return None

    def _fetched(self, version: str) -> dict[str, Any]:
        result = self._ask("registry-pull", name=f"{self._alias.model}/{version}")
        told = _told(self._alias, version, int(result["variant"]), str(result["bundle"]))
        return {**told, "registry": self._alias.registry}

    def _ask(self, step: str, **options: Any) -> Mapping[str, Any]:
        outcome = self._run(step, registry=self._alias.registry, **options)
        if not outcome.ok:
            raise StudioError(outcome.sentence, hint=outcome.hint)
        return outcome.document


def _told(alias: Alias, version: int | str, variant: int, bundle: str) -> dict[str, Any]:
    return {
        "model": alias.model,
        "alias": alias.name,
        "version": version,
        "variant": variant,
        "bundle": bundle,
        "registry": "",
    }

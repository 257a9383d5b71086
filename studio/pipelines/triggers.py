"""Triggers of pipelines: an alias in any registry that points to a new version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from studio.api import StudioError, UsageError
from studio.external_registries.results import ListResult, PullResult
from studio.jobs import JobOutcome
from studio.lazy_dataclass import dataclass
from studio.registry import Registry
from studio.registry.run_records import NewVersion

Run = Callable[..., JobOutcome]
"""A function that runs the named step with its options to its end."""


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias to watch: ``digits@production``.

    Attributes:
        registry: Name or address of a registry; empty for the local one.
    """

    model: str
    name: str
    registry: str = ""

    @classmethod
    def of(cls, text: str, registry: str | None) -> Alias:
        """Parse the text of an alias.

        Raises:
            UsageError: when the text is no alias.
        """
        model, at, name = text.partition("@")
        if not (model and at and name):
            raise UsageError(f"{text!r} names no alias.", hint="Write it as MODEL@ALIAS.")
        return cls(model, name, registry or "")

    def __str__(self) -> str:
        where = f" in {self.registry}" if self.registry else ""
        return f"{self.model}@{self.name}{where}"


class Trigger:
    """A watch of an alias that returns each new version once."""

    def __init__(self, alias: Alias, registry: Registry, run: Run) -> None:
        self._alias, self._registry, self._run = alias, registry, run
        self._last = ""

    def new_version(self) -> NewVersion | None:
        """Return the version that the alias points to, if it has changed.

        Each version is returned once, whether its run succeeds or not. It is returned again only
        after the alias has moved.

        Raises:
            StudioError: when the registry does not answer, or the version cannot be fetched.
        """
        local = None if self._alias.registry else self._local()
        version = self._remote() if self._alias.registry else str(local.version) if local else ""
        if version == self._last:
            return None
        # Before the fetch: a version that cannot be fetched is not tried on every poll.
        self._last = version
        return self._fetched(version) if self._alias.registry and version else local

    def _local(self) -> NewVersion | None:
        alias = self._alias
        for model in self._registry.models():
            if model.name != alias.model:
                continue
            stands = {one.name: one.version for one in self._registry.ledger.aliases(model.id)}
            for version in self._registry.versions(model.id):
                if version.id == stands.get(alias.name):
                    self._registry.fetch(version.path)
                    return self._build(version.number, version.variant, str(version.path))
        return None

    def _remote(self) -> str:
        """Return the version in an external registry; empty if the alias points to none."""
        listed: ListResult = self._run_step("registry-list", self._alias.model)
        for version in listed.versions or ():
            if self._alias.name in version.aliases:
                return version.version
        return ""

    def _fetched(self, version: str) -> NewVersion:
        pulled: PullResult = self._run_step("registry-pull", f"{self._alias.model}/{version}")
        found = self._build(version, pulled.variant, pulled.bundle)
        return replace(found, registry=self._alias.registry)

    def _build(self, version: int | str, variant: int, bundle: str) -> NewVersion:
        return NewVersion(self._alias.model, self._alias.name, version, variant, bundle)

    def _run_step(self, step: str, name: str) -> Any:
        outcome = self._run(step, registry=self._alias.registry, name=name)
        if not outcome.ok:
            raise StudioError(outcome.sentence, hint=outcome.hint)
        return outcome.result

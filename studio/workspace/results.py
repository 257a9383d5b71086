"""Recorded results of steps, in the types of their stages."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.lazy_dataclass import dataclass
from studio.registry import Registry, RunRecord

log = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Recorded(Generic[ResultT]):
    """A run of a step with its result.

    Attributes:
        variant: Number of the variant that it was run for; None for a step without a model.
        options: The options as they were given.
        created: Time of the run, in the registry's spelling.
    """

    id: int
    variant: int | None
    options: Mapping[str, Any]
    created: str
    result: ResultT


class Results:
    """The stored results of the registry, without those in a newer format."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def of(
        self, step: str, form: type[ResultT], variant: int | None = None, most: int | None = None
    ) -> list[Recorded[ResultT]]:
        """Return the results of a step, the newest first.

        Args:
            form: The dataclass of its results.
            variant: Results for this variant only.
            most: As many at most; None for all.
        """
        runs = self._registry.runs(step, variant, most)
        read = [_recorded(run, form) for run in runs]
        return [one for one in read if one is not None]

    def last(
        self, step: str, form: type[ResultT], variant: int | None = None
    ) -> Recorded[ResultT] | None:
        """Return the newest result of a step, or None."""
        return next(iter(self.of(step, form, variant, 1)), None)


def _recorded(run: RunRecord, form: type[ResultT]) -> Recorded[ResultT] | None:
    try:
        result = from_json(form, run.result)
    except InvalidDocument as error:
        log.warning("result left out: %s", error, extra={"step": run.step, "run": run.id})
        return None
    return Recorded(run.id, run.variant, run.options, run.created, result)

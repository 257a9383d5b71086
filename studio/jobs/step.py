"""A step: one action that changes something, described as data.

A click, a command and a line of a pipeline are three ways to ask for the same step. A stage keeps
its steps in its ``step.py``, which imports nothing heavy: the work is named, not imported, and
runs in a worker; the record is made by the parent when the work has succeeded.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast

from studio.api import Option, Permission, Progress
from studio.documents.dataclass_json import from_json
from studio.jobs.options_form import form, offered
from studio.lazy_dataclass import dataclass

OptionsT = TypeVar("OptionsT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one job; 0 means no limit.

    Attributes:
        memory_mb: Memory of each process of the worker, and 1.5 times as much for all of them
            together. 0 means a share of the machine's for a job that may parse or run a model.
        seconds: Wall time.
        cpu_seconds: Processor time.
        silence: Longest time without a word from the worker. It ends a model that never returns
            from an inference, however long the whole job may take.
    """

    memory_mb: int = 0
    seconds: float = 0.0
    cpu_seconds: int = 0
    silence: float = 0.0


class Effect(enum.Enum):
    """The effect that running a step again would have."""

    PURE = "pure"  # the same inputs give the same result
    MEASURES = "measures"  # the figures are of one machine
    LOOKS = "looks"  # at something that changes: a target, a registry
    ACTS = "acts"  # changes what runs somewhere, or what others see


class Use(enum.Enum):
    """The use of models by a step, which decides the formats that it accepts."""

    READ = "read"
    RUN = "run"
    QUANTIZE = "quantize"
    EDIT = "edit"
    CONVERT = "convert"
    SERVE = "serve"
    COVER = "cover"


@dataclass(frozen=True, slots=True)
class Step(Generic[OptionsT, ResultT]):
    """A named action with its options and its work.

    Attributes:
        name: The command's name (``quantize``).
        options: A frozen dataclass whose fields are made by ``option()``: checked values of their
            own types (a model is a ``registry.ModelRef``, a target an ``api.TargetSpec``, a file
            a ``Path``). Or descriptions alone; the values then travel as a mapping in JSON form.
        result: A frozen dataclass, or None for a plain JSON object.
        work_result: A frozen dataclass that the work returns, where the record makes the result
            of it; None where both are of one type.
        work: ``"module:function"``, called in a worker as ``function(options, job)``. It writes
            files only below ``job.folder`` and returns the result. Empty for a step whose only
            effect is its record: no worker is started.
        record: ``"module:function"``, called in the parent after success as
            ``function(registry, options, result, folder)``, without ``result`` where the step has
            no work; returns the final result.
        prepare: ``"module:function"``, called in the parent before the worker starts as
            ``function(registry, options)``; returns the options, with what the work must know
            of the registry added (the number of the next version).
        complete: ``"module:function"``, called in the parent as ``function(registry, given)``
            before the options are checked. It returns them with those that follow from a name,
            such as the model of a version. A second call changes nothing.
        needs: What the worker may reach beyond the registry and the files that it was given.
        remote_needs: What it may reach besides when a TARGET option names another machine; a
            step that parses or runs a model here needs nothing while it stays here.
        signing_needs: What it may reach besides when a key to sign with is named (``sign``); the
            model is then parsed by a worker of its own, which never sees the key.
        effect: Whether its result may be cached, and whether it waits for gates.
        use: What it does with its models; None for a step without one.
        language: Whether it takes models that write text, too.
        in_history: Whether the activity lists it; a step that only reports something is left out.
        guarded: False for a step that acts, but that a failed gate must not hold back, because it
            takes something away (a rollback).
        awaits_approval: It changes the release of its targets, or who may sign one: those that are
            protected allow it by an approved plan alone. A rollback has it not, as it must be
            possible at once.
        ordered: Keeps its place among the steps of a pipeline that act, although it does not act.
        until_stopped: Runs until the user stops it, which is its natural end and no failure.
        own_code: Name of the flag by which the user agrees to Python code of an app. With it the
            worker reads only the files that it was given, and has the network only with the flag
            ``allow_network``.
        spreads: Takes long, and reads and writes nothing but files that can travel: it may be done
            on another computer.
        event: Kind of the event of its success (``release.deployed``); empty for a step without.
        texts: ``"module:function"``, which makes the lines for people of a result: what the
            command prints without ``--json``.
        exit_code: ``"module:function"``, which makes the command's exit code of a result, where
            that is not always 0 (3: a gate failed).
        has_command: Whether ``studio NAME`` runs it, listed with its summary. It is False for
            steps of commands that ``cli/main.py`` lists.
    """

    name: str
    title: str
    summary: str
    options: type[OptionsT] | tuple[Option, ...]
    work: str = ""
    result: type[ResultT] | None = None
    work_result: type[Any] | None = None
    record: str = ""
    prepare: str = ""
    complete: str = ""
    needs: frozenset[Permission] = frozenset()
    remote_needs: frozenset[Permission] = frozenset()
    signing_needs: frozenset[Permission] = frozenset()
    limits: Limits = field(default_factory=Limits)
    effect: Effect = Effect.ACTS
    use: Use | None = None
    language: bool = False
    in_history: bool = True
    guarded: bool = True
    awaits_approval: bool = False
    ordered: bool = False
    until_stopped: bool = False
    spreads: bool = False
    own_code: str = ""
    event: str = ""
    texts: str = ""
    exit_code: str = ""
    has_command: bool = False

    @property
    def form(self) -> tuple[Option, ...]:
        """The options as forms, flags, schemas and checks read them."""
        return self.options if isinstance(self.options, tuple) else offered(form(self.options))

    def options_of(self, arguments: Mapping[str, Any]) -> OptionsT:
        """Return the options as the work takes them, from checked values in JSON form."""
        if isinstance(self.options, tuple):
            return cast(OptionsT, arguments)
        return from_json(self.options, arguments)

    def result_of(self, document: Mapping[str, Any]) -> ResultT:
        """Return the result that a document holds.

        Raises:
            InvalidDocument: when the document does not fit.
        """
        if self.result is None:
            return cast(ResultT, document)
        return from_json(self.result, document)

    def work_result_of(self, document: Mapping[str, Any]) -> Any:
        """Return what the work gave, as the record takes it.

        Raises:
            InvalidDocument: when the document does not fit.
        """
        if self.work_result is None:
            return self.result_of(document)
        return from_json(self.work_result, document)

    @property
    def is_cached(self) -> bool:
        """Whether its result may be taken instead of running it again."""
        return self.effect in (Effect.PURE, Effect.MEASURES)

    @property
    def waits_for_gates(self) -> bool:
        """Whether a pipeline runs it only when its gates have passed."""
        return self.effect is Effect.ACTS and self.guarded

    @property
    def keeps_order(self) -> bool:
        """Whether a pipeline runs it after the steps on targets that stand before it."""
        return self.effect is Effect.ACTS or self.ordered


AnyStep = Step[Any, Any]
"""A step of which only the name is known."""


class Job(Progress, Protocol):
    """The services for a step's work inside its worker.

    Attributes:
        folder: The one folder that it may write to; it is removed after the record was made.
    """

    folder: Path

    def event(self, name: str, /, **values: Any) -> None:
        """Send a small JSON message to the job's listeners (a live sample, a finished row)."""


Arguments = Mapping[str, Any]
Result = dict[str, Any]

"""The configuration of a bench, as read from its one line of JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any, Mapping, Sequence

from .errors import ConfigError
from .tokens.plan import TokenPlan

MODES = ("latency", "throughput", "open-loop", "sustained", "tokens")


@dataclass(frozen=True)
class Candidate:
    """A model on a backend.

    Attributes:
        id: Unique label of the caller.
        model: Path of the model's file.
        runner: Path of the backend's runner.
        options: Passed to the runner's ``load`` (``threads``, ``provider`` ...).
        python: Interpreter of the backend's own environment; empty: the bench's.
        tolerance: Largest accepted relative error against the reference; None: any finite one.
        like: Id of an earlier candidate with the same model, whose outputs it must give too:
            another runtime that computes something else is no faster one. Empty: none.
        like_tolerance: Largest accepted relative error against that one, where it reports to
            compute in full precision, and where it does not.
        memory_mb: Its own limit of address space, instead of the bench's; 0: the bench's.
        backend: Id of the backend of a language model, which needs no runner.
    """

    id: str
    model: str
    runner: str
    options: Mapping[str, Any] = field(default_factory=dict)
    python: str = ""
    tolerance: float | None = None
    like: str = ""
    like_tolerance: Sequence[float] = (0.01, 0.25)
    memory_mb: int = 0
    backend: str = ""


@dataclass(frozen=True)
class FeedPlan:
    """Source of the input arrays.

    Attributes:
        npz: File with one array for each input; empty: random values.
        shapes: Full shape by input name.
        symbols: Size by the name of a symbolic dimension.
    """

    npz: str = ""
    seed: int = 0
    shapes: Mapping[str, list[int]] = field(default_factory=dict)
    symbols: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Config:
    """Configuration of one bench.

    Attributes:
        candidates: The first one that works is the reference.
        rounds: Most rounds that are made.
        seconds: Wall time that the rounds may take; slow models get fewer inferences a round.
        mode: One of MODES; see the package's docstring.
        looks: At how many points the rounds may end, once everything is decided.
        streams: Parallel streams: each is tried for ``throughput``, the first is used for
            ``open-loop`` and ``sustained``.
        batches: Samples of an inference, each tried for ``throughput``.
        rate: Requests a second of ``open-loop``; 0: search for the highest that keeps the limit.
        limit_ms: What all but 1 % of the requests must keep, from the time they are due.
        duration: Seconds of ``sustained``, for each candidate.
        interval: Seconds of a point of its time series.
        twin: Measure the reference twice.
        energy: Seconds of a block of work or rest for the energy of an inference; 0: not measured.
        meter: Python file of a meter of its own; empty: the machine's sensors (see ``energy``).
        operators: Profiled inferences for the per-operator times; 0: none.
        tokens: Work of ``tokens``, which is for language models alone.
        load_timeout, run_timeout: Seconds for a load, and for a block of inferences.
        warm_up_seconds: Longest warm-up of a candidate.
        memory_limit_mb: Address space of a candidate; 0: no limit.
        cancel_on_eof: Closing standard input cancels. Off for channels that always close it;
            there the bench ends when its events can no longer be written.
    """

    candidates: tuple[Candidate, ...]
    feeds: FeedPlan = field(default_factory=FeedPlan)
    rounds: int = 40
    seconds: float = 20.0
    seed: int = 0
    mode: str = "latency"
    looks: int = 1
    streams: Sequence[int] = (1,)
    batches: Sequence[int] = (1,)
    rate: float = 0.0
    limit_ms: float = 0.0
    duration: float = 300.0
    interval: float = 1.0
    twin: bool = True
    energy: float = 0.0
    meter: str = ""
    operators: int = 0
    tokens: TokenPlan = field(default_factory=TokenPlan)
    load_timeout: float = 120.0
    run_timeout: float = 60.0
    warm_up_seconds: float = 2.0
    memory_limit_mb: int = 0
    cancel_on_eof: bool = True


def parse(line: str) -> Config:
    """Read a configuration.

    Raises:
        ConfigError: in one sentence.
    """
    try:
        data = json.loads(line)
    except ValueError as error:
        raise ConfigError(f"The configuration is not JSON: {error}.") from error
    if not isinstance(data, dict):
        raise ConfigError("The configuration is not a JSON object.")
    listed = data.get("candidates")
    if not isinstance(listed, list) or not listed:
        raise ConfigError("The configuration names no candidates.")
    values = dict(data)
    values["candidates"] = tuple(_build(Candidate, each, "A candidate") for each in listed)
    for part, form in (("feeds", FeedPlan), ("tokens", TokenPlan)):
        values[part] = _build(form, data.get(part) or {}, f"'{part}'")
    config: Config = _build(Config, values, "The configuration")
    _check(config)
    return config


def _build(kind: Any, values: Any, what: str) -> Any:
    if not isinstance(values, dict):
        raise ConfigError(f"{what} is not an object.")
    known = {each.name for each in fields(kind)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigError(f"{what} has an unknown key {unknown[0]!r}.")
    try:
        return kind(**values)
    except TypeError as error:
        raise ConfigError(f"{what} is incomplete: {error}.") from error


def _check(config: Config) -> None:
    ids = [candidate.id for candidate in config.candidates]
    for candidate in config.candidates:
        if not all(isinstance(text, str) and text for text in (candidate.id, candidate.model)):
            raise ConfigError("A candidate needs an id and a model.")
    if len(set(ids)) != len(ids):
        raise ConfigError("Two candidates have the same id.")
    for name in _POSITIVE:
        if not _positive(getattr(config, name)):
            raise ConfigError(f"{name!r} must be a positive number.")
    for name in ("streams", "batches"):
        values = getattr(config, name)
        if not values or not all(isinstance(each, int) and _positive(each) for each in values):
            raise ConfigError(f"{name!r} must be positive whole numbers.")
    if config.mode not in MODES:
        raise ConfigError(f"{config.mode!r} is no mode; there are {', '.join(MODES)}.")
    if config.mode == "open-loop" and not _positive(config.limit_ms):
        raise ConfigError("'limit_ms' must be given for open-loop.")
    _check_tokens(config)


def _check_tokens(config: Config) -> None:
    plan = config.tokens
    numbers = {
        "lengths": plan.lengths,
        "streams": plan.streams,
        "answer": [plan.answer],
    }
    for name, values in numbers.items():
        if not values or not all(isinstance(each, int) and _positive(each) for each in values):
            raise ConfigError(f"'tokens.{name}' must be positive whole numbers.")
    if not all(isinstance(each, int) and _positive(each) for each in plan.contexts):
        raise ConfigError("'tokens.contexts' must be positive whole numbers.")
    named = {bool(candidate.backend) for candidate in config.candidates}
    if named != {config.mode == "tokens"}:
        raise ConfigError("The mode 'tokens' is for candidates with a 'backend', and no other is.")


_POSITIVE = ("rounds", "seconds", "load_timeout", "run_timeout", "looks", "duration", "interval")


def _positive(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0

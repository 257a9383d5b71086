"""Choice of the backends to measure, with their options."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from studio.api import Backend, Extension, TargetSpec, UsageError, validate
from studio.documents.dataclass_json import JsonValue
from studio.lazy_dataclass import dataclass
from studio.models.backends import runs
from studio.plugin_host import PluginHost
from studio.runtime.backends.catalog import BACKENDS


@dataclass(frozen=True, slots=True)
class BackendChoice:
    """A backend with values for its options.

    Attributes:
        text: As the user wrote it (``openvino:precision=f32``).
        python: Interpreter of its own environment; empty: the studio's.
    """

    text: str
    backend: Backend
    options: Mapping[str, JsonValue]
    python: str = ""

    @property
    def memory_mb(self) -> int:
        """Address space that it may take: with an environment of its own, what the machine has.

        The studio's own runtime has the worker's limit; an accelerator's driver maps far more
        than it uses, and must not be stopped for it.
        """
        if not self.python:
            return 0
        return (os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")) >> 20


def choose(
    host: PluginHost, texts: Sequence[str], common: Mapping[str, JsonValue]
) -> list[BackendChoice]:
    """Return the requested backends: ``NAME`` or ``NAME:OPTION=VALUE,OPTION=VALUE``.

    Args:
        common: Values for those options that a backend has and the text does not name.

    Raises:
        UsageError: when a text cannot be read, or an option is unknown or does not fit.
        Unavailable: when there is no such backend, or its environment is not installed.
    """
    chosen = []
    for text in dict.fromkeys(texts):
        name, _, rest = text.partition(":")
        backend: Backend = host.get(Extension.BACKEND, name.strip())
        known = {option.name for option in backend.options}
        given = {key: value for key, value in common.items() if key in known}
        values = validate(backend.options, {**given, **option_pairs(text, rest)})
        # An object made before there were environments has none.
        python = str(getattr(backend, "python", ""))
        chosen.append(BackendChoice(text, backend, values, python))
    return chosen


def check_formats(host: PluginHost, texts: Sequence[str], forms: Sequence[str]) -> None:
    """Raise if a backend runs none of the models, before its installation is checked.

    Args:
        forms: The models' formats.

    Raises:
        UsageError: naming the formats that it runs.
    """
    backends = {each.id: each for each in host.all(Extension.BACKEND)}
    titles = {each.id: each.title for each in host.all(Extension.FORMAT)}
    for text in texts:
        backend = backends.get(text.partition(":")[0].strip())
        if backend is not None and not any(runs(backend, form) for form in forms):
            taken = [titles.get(one, one) for one in backend.extra["formats"]]
            given = [titles.get(one, one) for one in dict.fromkeys(forms)]
            raise UsageError(
                f"{backend.title} runs {' and '.join(taken)} models, not {' and '.join(given)}.",
                hint=f"Pass a model in {taken[0]}, or omit {text}.",
            )


def check_target(target: TargetSpec | None, backends: Sequence[BackendChoice]) -> None:
    """Raise UsageError for a remote target with a backend that serves nothing there.

    Such a backend has an environment on this computer alone.
    """
    bound = [each.backend.title for each in backends if each.python and not serves(each)]
    if bound and target is not None and not target.url.startswith("local:"):
        raise UsageError(
            f"{bound[0]} runs on this computer only: its environment cannot be installed "
            "on targets.",
            hint=f"Omit it for {target.name}.",
        )


def serves(choice: BackendChoice) -> bool:
    """Return whether a target may have the backend, as that of a release."""
    return choice.backend.id in BACKENDS


def option_pairs(text: str, rest: str) -> dict[str, str]:
    """Return the options behind the name of a backend, as texts.

    Raises:
        UsageError: when one has no value.
    """
    pairs = {}
    for part in filter(None, rest.split(",")):
        name, equals, value = part.partition("=")
        if not equals:
            raise UsageError(
                f"Invalid backend options: {text!r}.",
                hint="Write openvino or openvino:precision=f32,threads=2",
            )
        pairs[name.strip().replace("-", "_")] = value.strip()
    return pairs

"""Edits as the user writes them: ``rename x=image``, ``dimensions batch=1``, ``opset 21``."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from studio.api import Extension, Option, Transform, UsageError, validate
from studio.jobs.step import Job
from studio.lazy_dataclass import dataclass
from studio.models.surgery.results import EditsResult, OfferedEdit
from studio.models.surgery.step import EditsOptions
from studio.plugin_host import PluginHost


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit, its options checked."""

    text: str
    transform: Transform
    options: Mapping[str, object]


def edit_titles(host: PluginHost, form: str) -> dict[str, str]:
    """Return the edits that the plugins offer for a format: identifier -> title."""
    return {
        capability.id: capability.title
        for capability in host.all(Extension.TRANSFORM)
        if capability.extra.get("edits") and form in capability.extra.get("formats", (form,))
    }


def parse(texts: Sequence[str], host: PluginHost, form: str) -> list[Edit]:
    """Read edits, each the name of one and its options.

    Raises:
        UsageError: for one that is not known, or options that do not fit it.
    """
    if not texts:
        raise UsageError("Missing edit.", hint="Pass --edit, such as --edit 'rename x=image'.")
    return [_one(text, host, edit_titles(host, form)) for text in texts]


def write(name: str, options: Sequence[Option], values: Mapping[str, Any]) -> str:
    """Return an edit as text, from the values of a form; ``parse`` reads it."""
    words = [name]
    for option in options:
        value = values.get(option.name)
        if value is None or value == [] or value == option.default:
            continue
        items = [str(one) for one in value] if option.many else [str(value)]
        words += items if option.positional else [f"{option.name}={','.join(items)}"]
    return shlex.join(words)


def _one(text: str, host: PluginHost, known: Mapping[str, str]) -> Edit:
    try:
        name, *words = shlex.split(text)
    except ValueError:
        raise UsageError(f"Unknown edit {text!r}.", hint=f"Known: {', '.join(known)}.") from None
    if name not in known:
        raise UsageError(f"Unknown edit {name!r}.", hint=f"Known: {', '.join(known)}.")
    transform: Transform = host.get(Extension.TRANSFORM, name)
    return Edit(text, transform, validate(transform.options, _options(words, transform.options)))


def _options(words: Sequence[str], options: Sequence[Option]) -> dict[str, Any]:
    """Return words as options: ``name=value`` for a known name, else the positional one."""
    named = {option.name: option for option in options}
    positional = next((option for option in options if option.positional), None)
    given: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        option = named.get(name) if equals else None
        if option is None:
            option, value = positional, word
        if option is None:
            raise UsageError(f"{word!r} is no option.", hint=f"Known: {', '.join(named)}.")
        if option.many:
            # A comma parts names; a positional word may hold commas of its own (x=1,3,224,224).
            given.setdefault(option.name, []).extend(
                [value] if option.positional else value.split(",")
            )
        else:
            given[option.name] = value
    return given


def offered(options: EditsOptions, job: Job) -> EditsResult:
    """Return identifier, title and options of each edit."""
    host = PluginHost.discover()
    edits = []
    for name, title in edit_titles(host, options.model.format).items():
        transform: Transform = host.get(Extension.TRANSFORM, name)
        edits.append(OfferedEdit(name, title, tuple(transform.options)))
    return EditsResult(tuple(edits))

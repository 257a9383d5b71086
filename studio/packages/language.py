"""The content of a bundle of a language model: settings of its generation, prompts to try."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy

from studio.api import InvalidData, LanguageModel, Model, UsageError
from studio.documents.dataclass_json import JsonValue, to_json
from studio.documents.toml_text import TomlText
from studio.jobs import Job
from studio.models.language.folder import companions
from studio.models.language.memory import repacked_bytes
from studio.packages.app_slot import AppContent
from studio.packages.backends import serving_backend
from studio.packages.build import BundleContent
from studio.packages.drift_reference import FEWEST
from studio.packages.golden import GoldenSample, Tolerance
from studio.packages.step import Numbering, PackageOptions
from studio.packages.work import lineage_of, read_checked
from studio.plugin_host import PluginHost
from studio.runtime.generate.guard.errors import GuardError
from studio.runtime.generate.guard.guard import Guard
from studio.runtime.generate.guard.rules import FILE, FORM
from studio.runtime.generate.served_text import INPUT
from studio.runtime.shared.cache_types import CACHE_TYPES
from studio.runtime.shared.user_notice import UserNotice

USUAL_CONTEXT, USUAL_SLOTS = 4096, 4

_SIZES = (
    *("layers", "cached_layers", "kv_heads", "key_size", "value_size"),
    *("width", "vocabulary", "context"),
)
_MOST_RULES_BYTES = 2 << 20
_PROMPTS = ("The capital of France is", "1, 2, 3, 4,")


def content(
    host: PluginHost,
    options: PackageOptions,
    numbering: Numbering,
    _app: AppContent | None,
    job: Job,
) -> BundleContent:
    """Return the content of a language model's bundle, which runs for the first time on a target.

    Its backend is in an environment of its own, so nothing is answered here.
    """
    ref = options.model
    files, model, checked = read_checked(host, ref, job)
    return BundleContent(
        name=ref.model_name,
        precision=ref.precision,
        model=model,
        files=_files_of(files, Path(ref.path)),
        samples=_prompts(),
        tolerance=Tolerance(0.0, 0.0),
        checked=checked,
        lineage=lineage_of(ref, {}, numbering.made),
        backend=serving_backend(ref.format, options.backend, language=True),
        notice=UserNotice.of(dict(numbering.notice)),
        generation=_generation_of(options, model),
        guard={} if options.guard is None else read_guard(options.guard),
        notes=[] if options.guard is not None else lost_guard(numbering.known),
    )


def _generation_of(options: PackageOptions, model: Model) -> dict[str, JsonValue]:
    """Return the settings of generation for the manifest.

    Raises:
        UsageError: when the context is longer than the model was made for.
    """
    made = model.language.context if model.language is not None else None
    context = options.context or min(USUAL_CONTEXT, made or USUAL_CONTEXT)
    if made is not None and context > made:
        raise UsageError(
            f"{options.model.model_name} was made for {made} tokens of context, not for {context}.",
            hint=f"Choose a context of at most {made}.",
        )
    return {
        "context": context,
        "slots": options.slots or USUAL_SLOTS,
        "cache": options.cache or CACHE_TYPES[0],
        **_limits(options, context),
        "drift": options.drift_samples if options.drift_samples >= FEWEST else 0,
        "model": {} if model.language is None else _sizes(model.language),
        "repacked": repacked_bytes(model),
    }


def _limits(options: PackageOptions, context: int) -> dict[str, JsonValue]:
    """Return the limits of tokens that were chosen.

    Raises:
        UsageError: when a request could be larger than the context.
    """
    total = options.max_total_tokens
    if total is not None and total > context:
        raise UsageError(
            f"A request of {total} tokens does not fit a context of {context}.",
            hint=f"Choose at most {context}, or a larger --context.",
        )
    given = {"queue_tokens": options.queue_tokens, "max_total_tokens": total}
    return {name: value for name, value in given.items() if value is not None}


def _sizes(facts: LanguageModel) -> dict[str, JsonValue]:
    """Return what the memory on a target follows from."""
    known = {name: getattr(facts, name) for name in _SIZES}
    return {name: value for name, value in known.items() if value is not None}


def read_guard(path: Path) -> dict[str, JsonValue]:
    """Return the rules of a ``guard.toml``, as the bundle has them.

    Raises:
        InvalidData: when the file cannot be read.
        UsageError: with line and column, when a rule cannot be used, or refuses the prompts that
            a target tries.
    """
    try:
        if path.stat().st_size > _MOST_RULES_BYTES:
            raise InvalidData(f"{path.name} is too large for guard rules.")
        text = TomlText.read(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidData(f"{path.name} cannot be read: {error}.") from None
    rules = {**to_json(dict(text.values)), "form": FORM}
    try:
        guard = Guard.of(rules)
    except GuardError as error:
        raise text.wrong(f"{error}.", *error.place, hint="See docs/language.md.") from None
    for prompt in _PROMPTS:
        if refusal := guard.refusal_of(prompt):
            reason = f"Targets try the prompt {prompt!r}, which the rules refuse: {refusal}"
            raise text.wrong(reason, "rules", hint="Narrow the rule.")
    return rules


def lost_guard(known: Sequence[Path]) -> list[str]:
    """Return the note that rules of an earlier bundle are left out; nothing where none had any.

    Args:
        known: Folders of earlier bundles of the model.
    """
    if not any((folder / FILE).is_file() for folder in known):
        return []
    return [
        "An earlier bundle of this model has guard rules, and this one has none. "
        "Add --guard to keep them."
    ]


def _prompts() -> list[GoldenSample]:
    """Return prompts that a target answers before it serves; any answer will do.

    Which token follows is a close call now and then, and falls otherwise on other processors.
    """
    return [GoldenSample({INPUT: numpy.array([one])}, {}) for one in _PROMPTS]


def _files_of(files: Sequence[Path], path: Path) -> tuple[Path, ...]:
    """Return a model's files with those that its tokenizer and its settings need."""
    return (*files, *(one for one in companions(path) if one not in files))

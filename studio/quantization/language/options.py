"""Options of the step ``evaluate`` for language models, checked before it starts."""

from __future__ import annotations

from dataclasses import replace

from studio.api import UsageError
from studio.quantization.step import EVALUATE, EvaluateOptions
from studio.registry import ModelRef, Registry

_OF_LANGUAGE = (
    "reference",
    *("tasks", "task_files", "window", "tokens", "temperature", "seed"),
)
_OF_OTHERS = ("heldout_data", "target", "metric", "dictionary", "label_map", "outputs")


def prepared(registry: Registry, options: EvaluateOptions) -> EvaluateOptions:
    """Return the options with the context of a language model.

    Raises:
        UsageError: for an option that the model has no use for, or data that is missing.
    """
    context = _context(registry, options.model)
    if context == 0:
        _refuse(options, _OF_LANGUAGE, "is for language models only")
        if options.data is None:
            name = options.model.model_name
            raise UsageError(
                f"Missing option Data: the project of {name} has no evaluation or heldout.",
                hint=f"Pass --data, or set it once: studio project set {name} --evaluation PATH",
            )
        return options
    _refuse(options, _OF_OTHERS, "is not for language models")
    if options.reference is not None:
        other = _context(registry, options.reference)
        if other == 0:
            name = options.reference.model_name
            raise UsageError(f"The reference {name} is not a language model.")
        context = min(context, other)
    return replace(options, context=context)


def _context(registry: Registry, model: ModelRef) -> int:
    """Return the tokens of context of a language model; 0 for other models."""
    facts = registry.variant(model.variant).summary.get("language")
    if not isinstance(facts, dict):
        return 0
    return int(facts.get("context") or 0) or 2048


def _refuse(options: EvaluateOptions, names: tuple[str, ...], reason: str) -> None:
    """Raise UsageError for the first of some options that is given."""
    form = {one.name: one for one in EVALUATE.form}
    for name in names:
        given, default = getattr(options, name), form[name].default
        is_local = getattr(given, "url", "").startswith("local:")
        if given not in (None, (), default) and not is_local:
            raise UsageError(f"{form[name].flag} {reason}.")

"""The models that a chat can be had with: those of the registry, and deployed ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from studio.api import Extension, StudioError
from studio.features.language.chat.step import CHAT, CHAT_SERVED, text_facts
from studio.lazy_dataclass import dataclass
from studio.models.results import LanguageFacts
from studio.plugin_host import Plugin, PluginHost
from studio.plugin_host.environments import Environment, EnvironmentCondition
from studio.registry import LOCAL, Registry, VariantRecord
from studio.runtime.generate.catalog import text_backend_of
from studio.runtime.shared.errors import LoadError


@dataclass(frozen=True, slots=True)
class ChatSubject:
    """A model that can be talked to.

    Attributes:
        key: The same for the same subject, also after the registry has changed.
        step: The step of a question.
        options: Those of its options that name the model.
        template: The chat template, which is a program: show it, never run it.
        variant: Number of the variant; None where that is not known.
        here: Whether this computer runs it.
    """

    key: str
    title: str
    step: str
    options: Mapping[str, str]
    template: str
    variant: int | None
    here: bool


def chat_subjects(registry: Registry) -> tuple[ChatSubject, ...]:
    """Return what can be talked to: deployed models first, then variants, the newest first."""
    known = ((one, text_facts(one)) for one in registry.variants())
    variants = {one.id: (one, facts) for one, facts in known if facts is not None}
    newest = sorted(variants.values(), key=lambda pair: pair[0].id, reverse=True)
    return (*_served(registry, variants), *(_of_variant(*one) for one in newest))


def _served(
    registry: Registry, known: Mapping[int, tuple[VariantRecord, LanguageFacts]]
) -> Iterator[ChatSubject]:
    versions = {one.id: one.variant for one in registry.versions()}
    running = registry.history.running()
    for target in registry.targets():
        release = running.get(target.name)
        found = known.get(versions.get(release.version or 0, 0)) if release else None
        if found is None:
            continue
        variant, facts = found
        local = target.name == LOCAL.name
        where = "this computer" if local else target.name
        yield ChatSubject(
            key=f"target {target.name}",
            title=f"{variant.model_name} on {where}",
            step=CHAT_SERVED.name,
            options={"target": target.name},
            template=facts.chat_template,
            variant=variant.id,
            here=local,
        )


def _of_variant(variant: VariantRecord, facts: LanguageFacts) -> ChatSubject:
    return ChatSubject(
        key=f"variant {variant.id}",
        title=f"{variant.model_name} {variant.name}",
        step=CHAT.name,
        options={"model": f"#{variant.id}"},
        template=facts.chat_template,
        variant=variant.id,
        here=True,
    )


def missing_chat_backend(
    registry: Registry, host: PluginHost, subject: ChatSubject
) -> tuple[Plugin, Environment] | None:
    """Return the plugin whose environment has to be installed first; None when nothing lacks.

    Raises:
        StudioError: when no plugin runs the model, in one sentence.
    """
    if subject.step != CHAT.name or subject.variant is None:
        return None
    path = Path(registry.variant(subject.variant).path)
    registry.fetch(path)
    try:
        backend = text_backend_of(path).id
    except LoadError as error:
        raise StudioError(str(error), hint="Convert it to GGUF first.") from None
    plugin = host.plugin(host.find(Extension.TEXT_BACKEND, backend).plugin)
    environment = host.environment(plugin)
    if environment is None or environment.state().condition is EnvironmentCondition.INSTALLED:
        return None
    return plugin, environment

"""The steps of a chat: with a model of the registry, and with the endpoint of a target."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio.api import Kind, Permission, TargetSpec, UsageError
from studio.documents.dataclass_json import read_parts
from studio.features.language.chat.results import ChatResult
from studio.jobs import Effect, Limits, Step, Use
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.models.results import LanguageFacts
from studio.registry import ModelRef

if TYPE_CHECKING:
    from studio.registry import Registry, VariantRecord


@dataclass(frozen=True, slots=True)
class _Summary:
    """The part of a variant's summary that only language models have."""

    language: LanguageFacts | None = None


def text_facts(variant: VariantRecord) -> LanguageFacts | None:
    """Return the facts of a language model; None for any other model."""
    return read_parts(_Summary, variant.summary).language


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatOptions:
    """Options of a chat, wherever the model is.

    Attributes:
        history: Earlier messages, those of the user and those of the model in turn.
    """

    prompt: str = option(help="Message to the model.")
    history: tuple[str, ...] = option(
        (),
        help="Earlier messages of the conversation in order: the user's, the model's, and on.",
    )
    system: str | None = option(
        None, title="System message", help="Message in front of the conversation."
    )
    temperature: float = option(
        0.0,
        minimum=0,
        maximum=2,
        zero="the most probable token",
        help="Randomness of the answer; 0 takes the most probable token.",
    )
    top_p: float = option(
        1.0,
        title="Top p",
        minimum=0,
        maximum=1,
        help="Share of probability from which tokens are drawn.",
    )
    seed: int = option(0, minimum=0, maximum=2**31 - 1, help="Seed of the random numbers.")
    tokens: int = option(
        256, title="Most tokens", minimum=1, maximum=65536, help="Most tokens of the answer."
    )
    schema: Path | None = option(
        None,
        kind=Kind.FILE,
        title="JSON Schema",
        help="File with a JSON Schema that the answer must fit.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatModelOptions(ChatOptions):
    """Options of a chat with a model of the registry."""

    model: ModelRef = option(
        kind=Kind.MODEL, positional=True, help="Language model: file, folder or NAME:VARIANT."
    )
    threads: int = option(
        0,
        minimum=0,
        maximum=1024,
        zero="one for each processor",
        help="Threads of the model; 0 is one for each processor.",
    )
    context: int = option(
        0,
        minimum=0,
        maximum=1 << 20,
        unit="tokens",
        zero="4,096 tokens, or fewer if the model has fewer",
        help="Most tokens of the conversation, the answer included; 0 is 4,096, or fewer if "
        "the model has fewer.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatServedOptions(ChatOptions):
    """Options of a chat with a deployed model."""

    target: TargetSpec = option("local", kind=Kind.TARGET, help="Target name.")


_USUAL_CONTEXT = 4096
_LIMITS = Limits(seconds=4 * 3600, silence=1800)

CHAT: Step[ChatModelOptions, ChatResult] = Step(
    name="chat",
    title="Chat with",
    summary="Ask a language model of the registry and measure its answer.",
    options=ChatModelOptions,
    result=ChatResult,
    work="studio.features.language.chat.local_chat:chat",
    prepare="studio.features.language.chat.step:prepare",
    texts="studio.features.language.chat.texts:chat",
    limits=_LIMITS,
    effect=Effect.LOOKS,
    use=Use.RUN,
    language=True,
    in_history=False,
)

CHAT_SERVED: Step[ChatServedOptions, ChatResult] = Step(
    name="chat-served",
    title="Chat",
    summary="Ask the language model of a target and measure its answer.",
    options=ChatServedOptions,
    result=ChatResult,
    work="studio.features.language.chat.served_chat:chat_served",
    texts="studio.features.language.chat.texts:chat",
    needs=frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS}),
    limits=_LIMITS,
    effect=Effect.LOOKS,
    in_history=False,
    ordered=True,
)


def prepare(registry: Registry, options: ChatModelOptions) -> ChatModelOptions:
    """Set the context where none is given: the usual one, or the model's own if that is smaller.

    Raises:
        UsageError: when the model writes no text.
    """
    facts = text_facts(registry.variant(options.model.variant))
    if facts is None:
        raise UsageError(
            f"{options.model.model_name} writes no text.", hint="A chat needs a language model."
        )
    most = min(facts.context or _USUAL_CONTEXT, _USUAL_CONTEXT)
    return replace(options, context=options.context or most)

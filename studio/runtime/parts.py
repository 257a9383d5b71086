"""The parts of the runtime: which of its modules travel with which bundle.

The core and the server always travel. A part travels where a bundle names it, or where something
on a target is switched on that needs it. A module of two parts travels with both alone.
"""

from __future__ import annotations

from typing import Dict, FrozenSet, Iterable, NamedTuple, Tuple

from .shared.errors import LoadError

PACKAGE = "edgewright_runtime"
"""Name of the package inside the zip application."""

KEY = "runtime_parts"
"""Key of a bundle's manifest; a manifest without it needs all parts."""


class RuntimePart(NamedTuple):
    """Modules of the runtime that travel together.

    Attributes:
        title: Its name in a sentence.
        modules: Folders and modules below the package.
        needs: Parts that its modules import.
    """

    title: str
    modules: Tuple[str, ...]
    needs: Tuple[str, ...] = ()


PARTS: Dict[str, RuntimePart] = {
    "apps": RuntimePart(
        "apps", ("apps", "serve.apps", "release.server.app_variables"), needs=("pictures",)
    ),
    "bench": RuntimePart(
        "benchmarks", ("answers", "bench", "generate.measure", "generate.score.command")
    ),
    "containers": RuntimePart("containers", ("health", "listener")),
    "decisions": RuntimePart(
        "the record of decisions",
        ("decisions", "release.decisions", "serve.decisions", "serve.rest.overrides"),
    ),
    "fleet": RuntimePart("the state of a fleet", ("fleet", "serve.fleet"), needs=("otlp",)),
    "grpc": RuntimePart("gRPC", ("serve.rpc",)),
    "language": RuntimePart(
        "texts and speech",
        (
            "chat",
            "drift.text_language",
            "drift.text_watch",
            "encoder",
            "generate",
            "serve.contracts.generate",
            "serve.contracts.openai",
            "serve.otlp.generation_document",
            "serve.quality.text_shadow",
            "serve.rest.generation_metrics",
            "serve.texts",
            "speech",
        ),
        needs=("decisions", "pictures"),
    ),
    "otlp": RuntimePart("OpenTelemetry", ("serve.otlp",)),
    "pictures": RuntimePart(
        "pictures and decoded outputs",
        ("serve.decoders", "serve.images.decoding", "serve.images.png", "speech.voice"),
    ),
    "pull": RuntimePart("the pull client", ("pull",)),
}

SWITCHED = frozenset({"decisions", "fleet", "grpc", "otlp"})
"""Parts that a bundle does not name: a note on a target, or the environment."""

SERVING = frozenset(PARTS) - {"bench", "containers", "pull"}
"""Parts that a release may need, whatever it is."""

_CORE = frozenset(
    {
        "bench.facts",
        "bench.machine.board",
        "decisions.config",
        "encoder.settings",
        "fleet.settings",
        "generate.any_model",
        "generate.text_model",
        "serve.apps.host",
        "serve.apps.places",
        "serve.apps.routes",
        "serve.contracts.openai.errors",
        "serve.contracts.openai.fields",
        "serve.contracts.openai.models",
        "serve.decisions.switch",
        "serve.otlp.settings",
        "serve.otlp.start",
        "serve.rpc.optional",
        "serve.texts.refusal",
    }
)
"""Modules in folders of parts that every server loads: settings, and what finds a part wanted."""

_BOTH = {
    "generate.measure": "language",
    "generate.score.command": "language",
    "serve.otlp.generation_document": "otlp",
}
"""The second part of a module of two."""

_PARENT = __name__.rpartition(".")[0] + "."
_OWNERS = {module: name for name, part in PARTS.items() for module in part.modules}


class MissingPart(LoadError):
    """A part that is wanted and did not travel, in one sentence."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "This runtime was sent without its part {} ({}). Deploy again with --parts {}.".format(
                name, PARTS[name].title, name
            )
        )


class MissingPartFinder:
    """The last finder of modules: one of a part that did not travel is refused by its part."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Raise MissingPart for a module of a part; None for any other."""
        if name.startswith(_PARENT):
            owners = owners_of(name[len(_PARENT) :])
            if owners:
                raise MissingPart(min(owners))


def owners_of(module: str) -> FrozenSet[str]:
    """Return the parts with which a module travels; empty for the core.

    Args:
        module: Name below the package, such as ``serve.rpc.server``.
    """
    if module in _CORE:
        return frozenset()
    names = module.split(".")
    places = [".".join(names[:end]) for end in range(len(names), 0, -1)]
    owner = next((_OWNERS[place] for place in places if place in _OWNERS), None)
    second = next((_BOTH[place] for place in places if place in _BOTH), None)
    return frozenset(filter(None, (owner, second)))


def with_needs(names: Iterable[str]) -> FrozenSet[str]:
    """Return the parts with those that they import.

    Raises:
        LoadError: for a name that is no part of this runtime.
    """
    parts = frozenset(names)
    for name in sorted(parts):
        if name not in PARTS:
            raise LoadError(
                "The bundle needs the part {!r:.40}, which this version of Edgewright does not "
                "have. Update Edgewright, and deploy again.".format(name)
            )
    needed = frozenset(need for name in parts for need in PARTS[name].needs)
    return parts if needed <= parts else with_needs(parts | needed)


def packed_in(application: str) -> FrozenSet[str]:
    """Return the parts that a zip application has."""
    import zipfile  # not for servers, which load little

    with zipfile.ZipFile(application) as archive:
        members = archive.namelist()
    modules = [name[len(PACKAGE) + 1 : -3].replace("/", ".") for name in members]
    owners = [owners_of(name) for name in modules if not name.endswith("__init__")]
    return frozenset(min(one) for one in owners if len(one) == 1)

"""Content-addressed artefacts and the SQLite record of models, runs, versions and releases."""

from importlib import import_module
from typing import TYPE_CHECKING

from studio.registry.names import below, component, component_of, is_component
from studio.registry.records import (
    ActionRecord,
    AliasRecord,
    Artifact,
    Change,
    KeptResult,
    ModelRecord,
    ModelRef,
    MoveRecord,
    ReleaseRecord,
    RunRecord,
    VariantRecord,
    VersionRecord,
)

if TYPE_CHECKING:
    from studio.registry.blob_store import file_digest, folder_digest
    from studio.registry.registry import Registry
    from studio.registry.targets import LOCAL

_MODULES = {
    "LOCAL": "targets",
    "Registry": "registry",
    "file_digest": "blob_store",
    "folder_digest": "blob_store",
}
"""Modules of the names that are imported at their first use: a worker opens no registry."""


def __getattr__(name: str) -> object:
    """Import a name at its first use; afterwards it is an attribute like any other."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    return globals()[name]


__all__ = [
    "LOCAL",
    "ActionRecord",
    "AliasRecord",
    "Artifact",
    "Change",
    "KeptResult",
    "ModelRecord",
    "ModelRef",
    "MoveRecord",
    "Registry",
    "ReleaseRecord",
    "RunRecord",
    "VariantRecord",
    "VersionRecord",
    "below",
    "component",
    "component_of",
    "file_digest",
    "folder_digest",
    "is_component",
]

"""Content-addressed artefacts and the SQLite record of models, runs, versions and releases."""

from typing import TYPE_CHECKING

from studio.lazy_names import lazy_names
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

__getattr__ = lazy_names(__name__, _MODULES)

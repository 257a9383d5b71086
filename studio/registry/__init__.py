"""Content-addressed artefacts and the SQLite record of models, runs, versions and releases."""

from studio.registry.blob_store import file_digest, folder_digest
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
from studio.registry.registry import Registry
from studio.registry.targets import LOCAL

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

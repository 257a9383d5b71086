"""The public surface: all that a plugin may import. Small, frozen, standard library only.

Errors and options are imported with it. The rest is imported when it is first used: a command
that needs no graph and no platform need not wait for their classes.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from studio.api.errors import (
    Cancelled,
    ChangedHost,
    GateMissed,
    InvalidData,
    InvalidModel,
    Refused,
    StudioError,
    TakenBack,
    TargetError,
    Unavailable,
    UnknownHost,
    UnsafeModel,
    UsageError,
)
from studio.api.options import Kind, Option, validate
from studio.api.progress import Progress, Silent

if TYPE_CHECKING:
    from studio.api.brokers.states import BrokerLogin, StateFeed, StateMessage, StateSource
    from studio.api.chips import ChipCompiler, Compiled, PlacedNode, ToolchainCompiler
    from studio.api.data import Array, Dataset, Feeds, Sample, Truth
    from studio.api.graph import (
        AttributeValue,
        Dimension,
        Graph,
        GraphLayout,
        Initializer,
        LanguageModel,
        Model,
        Node,
        Quantization,
        TensorType,
        Value,
    )
    from studio.api.intake import Finding, Level, Limits
    from studio.api.platforms import (
        Action,
        Deployed,
        Identity,
        Measurement,
        Parcel,
        Platform,
        PlatformRelease,
        Preview,
        Resource,
        Site,
    )
    from studio.api.plugin import API_VERSION, Capability, Extension, Manifest, Permission
    from studio.api.ports import (
        Analyzer,
        Backend,
        Check,
        Connector,
        Converted,
        Converter,
        Format,
        InputSpec,
        Intake,
        Metric,
        ModelRegistry,
        Monitor,
        Packager,
        SampleMetric,
        Session,
        Transform,
        Transformed,
    )
    from studio.api.registries import (
        ModelVersion,
        Publication,
        RegisteredModel,
        RegistryEvent,
        RegistrySession,
    )
    from studio.api.targets import MOST_OUTPUT, Channel, Completed, TargetFacts, TargetSpec, Tunnel
    from studio.api.tasks.executors import (
        Executor,
        ExecutorSession,
        ProgramStart,
        TaskOrder,
        TaskPhase,
        TaskSight,
    )
    from studio.api.tasks.shared_tasks import SharedFolder
    from studio.api.toolchains import (
        EnvironmentNeed,
        TextToolchain,
        Toolchain,
        ToolchainBackend,
        ToolchainConverter,
    )

_NAMES = {
    "chips": "ChipCompiler Compiled PlacedNode ToolchainCompiler",
    "data": "Array Dataset Feeds Sample Truth",
    "tasks.executors": "Executor ExecutorSession ProgramStart TaskOrder TaskPhase TaskSight",
    "graph": "AttributeValue Dimension Graph GraphLayout Initializer LanguageModel Model Node"
    " Quantization TensorType Value",
    "intake": "Finding Level Limits",
    "platforms": "Action Deployed Identity Measurement Parcel Platform PlatformRelease Preview"
    " Resource Site",
    "plugin": "API_VERSION Capability Extension Manifest Permission",
    "ports": "Analyzer Backend Check Connector Converted Converter Format InputSpec Intake"
    " Metric ModelRegistry Monitor Packager SampleMetric Session Transform Transformed",
    "registries": "ModelVersion Publication RegisteredModel RegistryEvent RegistrySession",
    "brokers.states": "BrokerLogin StateFeed StateMessage StateSource",
    "tasks.shared_tasks": "SharedFolder",
    "targets": "MOST_OUTPUT Channel Completed TargetFacts TargetSpec Tunnel",
    "toolchains": "EnvironmentNeed TextToolchain Toolchain ToolchainBackend ToolchainConverter",
}
"""Names by the module that is imported for them."""

_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """Import a name at its first use; afterwards it is an attribute like any other."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    return globals()[name]


__all__ = [
    "API_VERSION",
    "MOST_OUTPUT",
    "Action",
    "Analyzer",
    "Array",
    "AttributeValue",
    "Backend",
    "BrokerLogin",
    "Cancelled",
    "Capability",
    "ChangedHost",
    "Channel",
    "Check",
    "ChipCompiler",
    "Compiled",
    "Completed",
    "Connector",
    "Converted",
    "Converter",
    "Dataset",
    "Deployed",
    "Dimension",
    "EnvironmentNeed",
    "Executor",
    "ExecutorSession",
    "Extension",
    "Feeds",
    "Finding",
    "Format",
    "GateMissed",
    "Graph",
    "GraphLayout",
    "Identity",
    "Initializer",
    "InputSpec",
    "Intake",
    "InvalidData",
    "InvalidModel",
    "Kind",
    "LanguageModel",
    "Level",
    "Limits",
    "Manifest",
    "Measurement",
    "Metric",
    "Model",
    "ModelRegistry",
    "ModelVersion",
    "Monitor",
    "Node",
    "Option",
    "Packager",
    "Parcel",
    "Permission",
    "PlacedNode",
    "Platform",
    "PlatformRelease",
    "Preview",
    "ProgramStart",
    "Progress",
    "Publication",
    "Quantization",
    "Refused",
    "RegisteredModel",
    "RegistryEvent",
    "RegistrySession",
    "Resource",
    "Sample",
    "SampleMetric",
    "Session",
    "SharedFolder",
    "Silent",
    "Site",
    "StateFeed",
    "StateMessage",
    "StateSource",
    "StudioError",
    "TakenBack",
    "TargetError",
    "TargetFacts",
    "TargetSpec",
    "TaskOrder",
    "TaskPhase",
    "TaskSight",
    "TensorType",
    "TextToolchain",
    "Toolchain",
    "ToolchainBackend",
    "ToolchainCompiler",
    "ToolchainConverter",
    "Transform",
    "Transformed",
    "Truth",
    "Tunnel",
    "Unavailable",
    "UnknownHost",
    "UnsafeModel",
    "UsageError",
    "Value",
    "validate",
]

"""The public surface: what it holds, and that it needs nothing but the standard library."""

from __future__ import annotations

import subprocess
import sys

import studio.api
from studio.api import sheets

NAMES = frozenset(
    """
    API_VERSION Action Analyzer Array AttributeValue Backend BrokerLogin Cancelled Capability
    ChangedHost Channel Check ChipCompiler Compiled Completed Connector Converted Converter
    Dataset Deployed Dimension EnvironmentNeed Executor ExecutorSession Extension Feeds Finding
    Format GateMissed Graph GraphLayout Identity Initializer InputSpec Intake InvalidData
    InvalidModel Kind LanguageModel Level Limits MOST_OUTPUT Manifest Measurement Metric Model
    ModelRegistry ModelVersion Monitor Node Option Packager Parcel Permission PlacedNode
    Platform PlatformRelease Preview ProgramStart Progress Publication Quantization Refused
    RegisteredModel RegistryEvent RegistrySession Resource Sample SampleMetric Session
    SharedFolder Silent Site StateFeed StateMessage StateSource StudioError TakenBack
    TargetError TargetFacts TargetSpec TaskOrder TaskPhase TaskSight TensorType TextToolchain
    Toolchain ToolchainBackend ToolchainCompiler ToolchainConverter Transform Transformed Truth
    Tunnel Unavailable UnknownHost UnsafeModel UsageError Value validate
    """.split()  # noqa: SIM905  # a word list reads and diffs better
)
"""Frozen: plugins are written against these names. Add with care; remove with a new API_VERSION."""


def test_names() -> None:
    assert set(studio.api.__all__) == NAMES
    assert all(hasattr(studio.api, name) for name in NAMES)


def test_names_of_sheets() -> None:
    assert set(sheets.__all__) == {"GROUPS", "DeploySheet", "touched"}
    assert sheets.GROUPS == ("devices", "containers", "clouds")
    own = {name for name in vars(sheets.DeploySheet) if not name.startswith("_")}
    assert own == {"place_options", "deploy_options", "finds", "spec"}


def test_exit_codes() -> None:
    codes = {
        name: error.exit_code
        for name in NAMES
        if isinstance(error := getattr(studio.api, name), type)
        and issubclass(error, studio.api.StudioError)
    }
    assert codes == {
        "StudioError": 1,
        "Cancelled": 130,
        "ChangedHost": 4,
        "GateMissed": 3,
        "InvalidData": 1,
        "InvalidModel": 1,
        "Refused": 4,
        "TakenBack": 1,
        "TargetError": 1,
        "Unavailable": 1,
        "UnknownHost": 4,
        "UnsafeModel": 4,
        "UsageError": 2,
    }


def test_imports_the_standard_library_alone() -> None:
    code = """
import sys
before = set(sys.modules)
import studio.api.sheets
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    foreign = set(done.stdout.split()) - set(sys.stdlib_module_names) - {"studio"}
    assert foreign == set()

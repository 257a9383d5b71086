"""A studio with the example plugin of the rigs installed, for tests of its toolchains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.conftest import Studio
from tests.rigs import toolchain as rig

SOURCES = Path(__file__).parents[1] / "data" / "sources"
RUNTIME, QUANTIZER = "example-runtime", "example-quantizer"


def listed(studio: Studio) -> dict[str, Any]:
    """The rows of ``studio backends list`` by name."""
    return {row["name"]: row for row in studio.ok("backends", "list")["backends"]}


def installed_studio(home: Path) -> Studio:
    """Return a studio whose user has agreed to the plugin and made its environment, offline."""
    studio = Studio(home)
    wheel = rig.make_wheel(studio.home / "wheels")
    rig.make_plugin(studio.home / "edgewright" / "config" / "plugins", rig.lock_of(wheel))
    install = ("backends", "install", RUNTIME, "--wheels", str(wheel.parent))
    refused = studio.run(*install)
    assert refused.code == 1
    assert "no consent yet" in refused.err
    studio.ok("plugins", "allow", rig.ID)
    assert listed(studio)[RUNTIME]["state"] == "missing"
    made = studio.ok(*install)
    assert made["versions"] == {rig.DISTRIBUTION: "1.0"}
    rig.lend_numpy(Path(made["folder"]))
    return studio

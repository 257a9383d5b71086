"""A plugin with an environment of its own, by commands alone: installed, used, removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Studio
from tests.rigs import toolchain as rig

pytestmark = [pytest.mark.slow, pytest.mark.needs("bwrap")]

RUNTIME, QUANTIZER = "example-runtime", "example-quantizer"
QUICK = ("--seconds", "0.2", "--rounds", "3")


def listed(studio: Studio) -> dict[str, Any]:
    return {row["name"]: row for row in studio.ok("backends", "list")["backends"]}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A studio whose user has agreed to the plugin and made its environment, offline."""
    studio = Studio(tmp_path_factory.mktemp("toolchains"))
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


def test_what_is_installed_is_listed(installed: Studio) -> None:
    row = listed(installed)[RUNTIME]
    assert (row["state"], row["version"]) == ("available", "1.0")
    assert row["environment"]["condition"] == "installed"
    assert row["environment"]["licences"] == "example tool: Apache-2.0"


def test_a_backend_is_measured_with_its_own_interpreter(installed: Studio, digits: Path) -> None:
    found = installed.ok("profile", digits / "digits.onnx", "--backend", RUNTIME, *QUICK)
    (run,) = found["runs"]
    assert (run["state"], run["version"], run["precision"]) == ("measured", "1.0", "bf16")
    assert run["latency_ms"]["p50"] > 0


def test_one_that_computes_something_else_is_not_timed(installed: Studio, digits: Path) -> None:
    both = ("--backend", "onnxruntime", "--backend", RUNTIME)
    found = installed.ok("profile", digits / "digits.onnx", *both, *QUICK)
    good, wrong = found["runs"]
    assert good["state"] == "measured"
    assert wrong["state"] == "wrong output"
    assert wrong["latency_ms"]["p50"] is None


def test_a_quantizer_works_behind_the_walls_of_the_worker(installed: Studio, digits: Path) -> None:
    found = installed.ok("quantize", digits / "digits.onnx", "--method", QUANTIZER)
    assert found["name"] == f"int8-{QUANTIZER}"
    facts = found["facts"]
    assert facts["tool"] == "1.0"
    assert facts["prefix"].endswith(f"environments/{rig.ID}")
    assert facts["interfaces"] == ["lo"]
    assert facts["home"] != str(installed.user)
    assert facts["studio"] is False


def test_what_is_gone_is_named_and_can_be_removed(installed: Studio, digits: Path) -> None:
    folder = Path(listed(installed)[RUNTIME]["environment"]["folder"])
    (folder / "bin" / "python").unlink()
    assert listed(installed)[RUNTIME]["state"] == "broken"
    refused = installed.run("profile", digits / "digits.onnx", "--backend", RUNTIME)
    assert refused.code == 1
    assert "must be installed again: its Python 3" in refused.err
    assert "studio backends install" in refused.err
    installed.ok("backends", "remove", QUANTIZER)
    assert not folder.exists()
    again = installed.run("backends", "remove", QUANTIZER)
    assert again.code == 1
    assert "is not installed" in again.err

"""One bundle, whatever packages it: the step, a deploy, a rollout, an image, a Debian package."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import TargetSpec
from studio.deployment.deploy_job import Deployment
from studio.deployment.options import DeployOptions
from studio.packages import Bundle
from studio.registry import VariantRecord
from studio.settings import resource
from studio.workspace import JobOutcome, Workspace
from tests.rigs.bundles import QuietJob

pytestmark = pytest.mark.slow

DIGITS = resource("samples", "digits")
ASKED = {
    "data": str(DIGITS / "calibration.npz"),
    "labels": str(DIGITS / "labels.txt"),
    "embedding": "auto",
}


@pytest.fixture
def workspace(studio_home: Path) -> Iterator[Workspace]:
    with Workspace.open() as opened:
        yield opened
        opened.run("undeploy", target="local", purge=True)


def ok(outcome: JobOutcome) -> dict[str, Any]:
    assert outcome.ok, outcome.sentence
    return outcome.document


def profiled(workspace: Workspace, variant: VariantRecord) -> None:
    """A run of a profile, as the step records it."""
    row = {
        "id": "v1",
        "variant_id": variant.id,
        "backend": "onnxruntime",
        "providers": ["CPUExecutionProvider"],
        "threads": 1,
        "latency_ms": {"p50": 1.5, "p90": 1.6, "p99": None},
        "round_ms": [1.5, 1.51, 1.49],
    }
    feeds = [{"name": "image", "dtype": "float32", "shape": [1, 1, 8, 8]}]
    result = {"mode": "latency", "runs": [row], "feeds": feeds, "environment": {"cpu": "x"}}
    workspace.registry.add_run("profile", None, {}, result)


@pytest.fixture
def variant(workspace: Workspace) -> VariantRecord:
    """One that a step has made, so that its lineage has something to lose; with a profile."""
    ok(workspace.run("open", model=str(DIGITS / "digits.onnx")))
    made = ok(workspace.run("quantize", model="digits", data=ASKED["data"]))
    found = workspace.registry.variant(int(made["variant"]))
    profiled(workspace, found)
    return found


def test_a_bundle_is_the_same_wherever_it_is_packaged(
    workspace: Workspace, variant: VariantRecord, tmp_path: Path
) -> None:
    """Had one of them another content or other measurements, it would be another version."""
    ways: dict[str, dict[str, Any]] = {
        "deploy": {"soak_s": 0},
        "rollout": {"target": ["local"], "requests": 2},
        "package": {},
        "image": {"image": "digits:1", "image_out": str(tmp_path / "image")},
        "deb": {"deb": str(tmp_path)},
    }
    digests = {}
    for way, options in ways.items():
        result = ok(workspace.run(way, model=f"#{variant.id}", **ASKED, **options))
        digests[way] = result.get("release") or result["digest"]
    (version,) = workspace.registry.versions()
    assert digests == dict.fromkeys(ways, version.digest)
    bundle = Bundle.open(version.path)
    (made,) = bundle.raw["lineage"]["made"]
    assert (made["step"], set(made["inputs"])) == ("quantize", {"data", "eval_data"})
    told = json.loads((version.path / "latency.json").read_text())
    assert told["profiles"][0]["p50_ms"] == 1.5
    baseline = json.loads((version.path / "baseline.json").read_text())
    assert any(one["kind"] == "embedding" for one in baseline["drift"]["taps"])
    context = next((tmp_path / "image").rglob("latency.json"))
    assert context.read_bytes() == (version.path / "latency.json").read_bytes()


def test_a_bundle_that_a_deploy_makes_has_the_content_of_a_packaged_one(
    workspace: Workspace, variant: VariantRecord, tmp_path: Path
) -> None:
    """The same, with nothing known to be found: the second is made anew."""
    ok(workspace.run("deploy", model=f"#{variant.id}", **ASKED, soak_s=0))
    (deployed,) = workspace.registry.versions()
    kept = Bundle.open(deployed.path)
    deployed.path.rename(tmp_path / "aside")
    packaged = ok(workspace.run("package", model=f"#{variant.id}", **ASKED))
    assert packaged["new"] is True
    bundle = Bundle.open(Path(packaged["bundle"]))
    assert bundle.content == kept.content
    assert bundle.raw["lineage"] == kept.raw["lineage"]
    assert bundle.raw["files"] == kept.raw["files"]


def test_what_a_deploy_is_remembered_by_has_no_lineage_in_it(
    workspace: Workspace, variant: VariantRecord
) -> None:
    ok(workspace.run("rollout", model=f"#{variant.id}", target=["local"], requests=2))
    (run,) = workspace.registry.runs("deploy")
    assert not {"made", "latency", "known", "rows", "known_bundles"} & set(run.options)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    made = tmp_path / "key"
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(made)]
    subprocess.run(words, check=True, timeout=60)
    return made


@pytest.mark.needs("ssh-keygen")
@pytest.mark.parametrize("way", ["package", "image", "deb"])
def test_what_is_to_be_signed_is_signed(
    workspace: Workspace, variant: VariantRecord, tmp_path: Path, way: str, key: Path
) -> None:
    """A bundle that the registry has already, without a signature; then one that is made for it."""
    wanted = ((8, None, False), (8, str(key), True), (4, str(key), True))
    for number, (samples, sign, signed) in enumerate(wanted):
        out = tmp_path / f"{way}-{number}"
        more = {"out": str(out)}
        if way == "image":
            more = {"image": "digits:1", "image_out": str(out)}
        elif way == "deb":
            out.mkdir()
            more = {"deb": str(out)}
        ok(workspace.run(way, model=f"#{variant.id}", samples=samples, sign=sign, **more))
        assert bool(signatures_in(out, tmp_path / f"unpacked-{number}")) is signed


@pytest.mark.needs("ssh-keygen")
def test_a_bundle_that_was_there_unsigned_says_so(
    workspace: Workspace, variant: VariantRecord, key: Path
) -> None:
    assert ok(workspace.run("package", model=f"#{variant.id}"))["notes"] == []
    again = ok(workspace.run("package", model=f"#{variant.id}", sign=str(key)))
    assert again["new"] is False
    assert "without a signature, and stays so" in again["notes"][0]
    assert not (Path(again["bundle"]) / "manifest.json.sig").exists()
    assert "signature" not in again


@pytest.mark.needs("ssh-keygen")
@pytest.mark.parametrize("url", ["docker:", "local:"])
def test_a_platform_is_given_the_signature_in_the_folder(
    workspace: Workspace, variant: VariantRecord, tmp_path: Path, key: Path, url: str
) -> None:
    """What is sent to a machine has it beside the manifest's text."""
    packaged = ok(workspace.run("package", model=f"#{variant.id}"))
    target = TargetSpec("there", url)
    options = DeployOptions(target=target, bundle=Path(packaged["bundle"]), sign=key)
    job = QuietJob(tmp_path / "job")
    found = Deployment(options, job, "ann").find_bundle()  # type: ignore[arg-type]
    assert "BEGIN SSH SIGNATURE" in found.signature
    there = (found.folder / "manifest.json.sig").exists()
    assert there is url.startswith("docker")
    assert found.digest == packaged["digest"]


def signatures_in(out: Path, room: Path) -> list[Path]:
    """Those of an image's context, or of the Debian package."""
    for package in out.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(package), str(room)], check=True, timeout=60)
        out = room
    return list(out.rglob("manifest.json.sig"))


@pytest.mark.needs("apt-get", "dpkg-deb")
@pytest.mark.parametrize("name", ["release", "release.deb", "v1.2"])
def test_a_package_has_a_name_that_apt_takes(
    workspace: Workspace, tmp_path: Path, name: str
) -> None:
    made = ok(workspace.run("deb", model=str(DIGITS / "digits.onnx"), deb=str(tmp_path / name)))
    path = Path(made["deb"])
    assert path == tmp_path / (name if name.endswith(".deb") else f"{name}.deb")
    shown = subprocess.run(
        ["apt-cache", "show", f"./{path.name}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Package: edgewright-digits" in shown.stdout, shown.stderr

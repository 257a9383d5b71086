"""Pipelines in a container as CI has it, without network: the digests of this machine.

The image is the base of the container rig with the studio's wheel and the locked wheels of its own
Python; so the interpreter is another one, the libraries are the same.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from studio.settings import resource
from tests.e2e.conftest import Studio
from tests.rigs.engine import BASE, DockerEngine, docker_engine

ROOT = Path(__file__).parents[3]
IMAGE = "edgewright-ci:1"
NOT_NEEDED = ("pyside6-essentials", "shiboken6", "netron")
"""What draws the window; the command line does without."""

UNPACK = (  # the base has no certificates, without which its pip does not start
    "import glob, zipfile; [zipfile.ZipFile(wheel).extractall(PLACE) for wheel in "
    "glob.glob('/wheels/*.whl')]"
).replace("PLACE", "'/usr/local/lib/python3.13/dist-packages'")
COMMAND = """\
#!/usr/bin/python3
import sys
from studio.cli.main import main
sys.exit(main())
"""

DOCKERFILE = f"""\
FROM {BASE}
COPY wheels /wheels
RUN python3 -c "{UNPACK}"
RUN python3 -m compileall -q -j 0 /usr/local/lib/python3.13/dist-packages || true
COPY studio /usr/local/bin/studio
ENV HOME=/root EDGEWRIGHT_HOME=/home/edgewright SOURCE_DATE_EPOCH=1790000000
"""


@pytest.fixture(scope="module")
def container(rigs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerEngine]:
    folder = tmp_path_factory.mktemp("image")
    wheels = folder / "wheels"
    shutil.copytree(_locked(rigs), wheels)
    build = [str(Path(sys.executable).with_name("hatchling")), "build", "-t", "wheel"]
    subprocess.run([*build, "-d", str(wheels)], cwd=ROOT, check=True, capture_output=True)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "studio").write_text(COMMAND)
    (folder / "studio").chmod(0o755)
    with docker_engine() as engine:
        engine.load_base()
        command = ["docker", "-H", engine.url, "build", "-q", "-t", IMAGE, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        yield engine


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """A home of its own, as the container has: the releases of a registry count on."""
    return Studio(tmp_path / "studio")


@pytest.mark.parametrize("name", ["digits", "ocr"])
def test_the_digests_are_those_of_this_machine(
    name: str, container: DockerEngine, studio: Studio, tmp_path: Path
) -> None:
    folder = tmp_path / name
    studio.ok("samples", "get", name, "--out", folder, timeout=900)
    studio.environment["SOURCE_DATE_EPOCH"] = "1790000000"
    here = studio.ok("run", folder / "pipeline.toml", timeout=1800)
    command = [
        "docker", "-H", container.url, "run", "--rm", "--network=none",
        "-v", f"{folder}:/pipeline:ro", IMAGE,
        "studio", "run", "/pipeline/pipeline.toml", "--json",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    there = json.loads(done.stdout) if done.stdout else {"steps": []}
    failed = [step["message"] for step in there["steps"] if step["state"] == "failed"]
    assert done.returncode == 0, (failed, done.stderr[-2000:])
    assert len(here["artefacts"]) == 4
    assert there["artefacts"] == here["artefacts"]
    assert _releases(there) == _releases(here)


def test_a_gate_that_is_missed_ends_the_container_with_3(
    container: DockerEngine, tmp_path: Path
) -> None:
    folder = tmp_path / "digits"
    shutil.copytree(resource("samples", "digits"), folder)
    pipeline = folder / "pipeline.toml"
    pipeline.write_text(pipeline.read_text().replace("max = 0.5", "max = 0.05"))
    look = "studio releases --target local/sample-digits --json"
    script = f"studio run /pipeline/pipeline.toml; code=$?; {look}; exit $code"
    command = ["docker", "-H", container.url, "run", "--rm", "--network=none"]
    command += ["-v", f"{folder}:/pipeline:ro", IMAGE, "sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 3, done.stderr[-2000:]
    assert done.stdout.rstrip().endswith("[]"), "something was deployed"


def _releases(report: dict[str, list[dict[str, dict[str, Any]]]]) -> list[tuple[Any, ...]]:
    """The manifests' numbers and digests, which agree where SOURCE_DATE_EPOCH does."""
    results = [step["result"] for step in report["steps"] if "counter" in step["result"]]
    return [(one["version"], one["counter"], one["digest"]) for one in results]


def _locked(rigs: Path) -> Path:
    """The wheels of the lock for the image's Python, fetched once."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = [Requirement(pin) for pin in re.findall(r"^([\w.-]+==[^\\\n]+)", text, re.MULTILINE)]
    there = {"python_version": "3.13", "python_full_version": "3.13.0"}
    wanted = [
        f"{pin.name}{pin.specifier}"
        for pin in pins
        if pin.name.lower() not in NOT_NEEDED and (pin.marker is None or pin.marker.evaluate(there))
    ]
    digest = hashlib.sha256(" ".join(wanted).encode()).hexdigest()[:12]
    folder = rigs / f"pipeline-wheels-{digest}"
    if not folder.is_dir():
        aside = folder.with_suffix(".part")
        shutil.rmtree(aside, ignore_errors=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--python-version", "3.13", "--dest", str(aside)]
        subprocess.run([*command, *wanted], check=True, timeout=900)
        aside.rename(folder)
    return folder

"""A real Docker engine: images built, run, updated under load, taken back, refused, removed."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.api import Parcel, Refused, Site, TargetError, TargetSpec, UsageError, validate
from studio.api.testing import Recorder
from studio.api.testing_platforms import Example, check_platform
from studio.settings import Paths
from studio_docker.engine.connection import connect
from studio_docker.platform import DockerPlatform
from tests.e2e.conftest import STUDIO, Studio
from tests.rigs.boards import until
from tests.rigs.containers import REQUEST, free_port, options, site_at, target
from tests.rigs.engine import BASE, DockerEngine, RegistryServer, docker_engine
from tests.rigs.load import Load

pytestmark = pytest.mark.rig
INSIDE = """
import json, os, urllib.request
body = {"inputs": [{"name": "image", "shape": [1, 1, 8, 8], "datatype": "FP32", "data": [0] * 64}]}
url, refused = "http://127.0.0.1:8477/v2/models/digits/infer", []
answer = json.load(urllib.request.urlopen(url, json.dumps(body).encode()))
for name in ("/opt/edgewright/x", "/tmp/x", "/x"):
    try:
        open(name, "w")
    except OSError as error:
        refused.append(error.strerror)
links = sorted(os.listdir("/sys/class/net"))
print(json.dumps([len(answer["outputs"][0]["data"]), os.getuid(), refused, links]))
"""


@pytest.fixture
def site(engine: DockerEngine, request: pytest.FixtureRequest) -> Iterator[Site]:
    """An empty place of this test's own."""
    with site_at(engine.socket, request.node.name.removeprefix("test_")[:30]) as site:
        yield site


@pytest.fixture(scope="module")
def studio(
    engine: DockerEngine,
    parcels: tuple[Parcel, Parcel],
    tmp_path_factory: pytest.TempPathFactory,
) -> Studio:
    """The command with the engine as its default, and one home for all tests of the module."""
    studio = Studio(tmp_path_factory.mktemp("studio"))
    (studio.home / "config").mkdir()
    studio.environment["DOCKER_HOST"] = engine.url
    studio.environment["DOCKER_CONFIG"] = str(studio.home / "config")
    wheels = Paths.of().cache / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    shutil.copytree(wheels, studio.home / "edgewright" / "cache" / "wheels")  # not loaded twice
    return studio


@pytest.mark.long
def test_conformance(engine: DockerEngine, parcels: tuple[Parcel, Parcel]) -> None:
    place = {"base": BASE, "network": "host", "port": free_port()}
    example = Example(*parcels, REQUEST, place, canary=False)
    check_platform(DockerPlatform(), target(engine.socket, "suite"), example)


@pytest.mark.long
def test_updates_under_load_lose_no_request(site: Site, parcels: tuple[Parcel, Parcel]) -> None:
    (first, second), chosen = parcels, options()
    port = int(chosen["port"])
    assert site.deploy(first, chosen, Recorder()).endpoint == f"http://127.0.0.1:{port}"
    with Load(port) as kept, Load(port, clients=2, fresh=True) as fresh:
        kept.more(500)
        site.deploy(second, chosen, Recorder())
        kept.more(500)
        fresh.more(100)
        assert [one.state for one in site.releases()] == ["serving", "replaced"]
        site.rollback(None, Recorder())
        kept.more(500)
        fresh.more(100)
    assert kept.failures == fresh.failures == []
    assert kept.answers >= 1500
    assert site.releases()[0].release == first.digest


@pytest.mark.long
def test_a_release_that_answers_otherwise_is_refused(
    site: Site, parcels: tuple[Parcel, Parcel], tmp_path: Path
) -> None:
    first, second = parcels
    chosen = options(network="host")
    site.deploy(first, chosen, Recorder())
    wrong = tmp_path / "bundle"
    shutil.copytree(second.bundle, wrong)
    shutil.copy(first.bundle / "model.onnx", wrong / "model.onnx")
    before = {one.name for one in site.resources() if one.kind == "container"}
    with pytest.raises(TargetError, match="golden samples differ") as raised:
        site.deploy(replace(second, bundle=wrong), chosen, Recorder())
    assert "still running" in raised.value.hint
    assert {one.name for one in site.resources() if one.kind == "container"} == before
    (serving,) = [one for one in site.releases() if one.state == "serving"]
    assert serving.release == first.digest
    with Load(int(chosen["port"]), clients=1) as load:
        load.more(20)
    assert load.failures == []


LACKS_MEMORY = (
    r"more memory than it may have|ended with status|exceeds its memory limit|lack of memory"
)
"""When the kernel ends the process, it has not begun, is beginning, or serves."""


@pytest.mark.long
def test_limits_hold_and_are_changed_in_place(
    engine: DockerEngine, site: Site, parcels: tuple[Parcel, Parcel]
) -> None:
    chosen = options(network="host", memory_mb=300, cpus=0.5)
    site.deploy(parcels[0], chosen, Recorder())
    assert _limits(engine) == f"{300 << 20} 500000000"
    with Load(int(chosen["port"]), clients=2) as load:
        load.more(20)
        done = site.deploy(parcels[0], {**chosen, "memory_mb": 200, "cpus": 0.0}, Recorder())
        load.more(20)
    assert load.failures == []
    assert done.state == "serving"
    assert _limits(engine) == f"{200 << 20} 0"
    with pytest.raises(TargetError, match=LACKS_MEMORY):
        site.deploy(parcels[1], {**chosen, "memory_mb": 8}, Recorder())
    plan = site.preview(parcels[1], {**chosen, "memory_mb": 1 << 30})
    assert [one.name for one in plan.actions if one.state == "blocked"] == ["memory"]


def _limits(engine: DockerEngine) -> str:
    """Memory and processors of the one release of the test's place."""
    mine = "label=edgewright.target=limits_hold_and_are_changed_in"
    labels = ("label=edgewright.role=release", mine)
    found = engine.run("ps", "--quiet", *(w for one in labels for w in ("--filter", one))).strip()
    text = "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}"
    return engine.run("inspect", "--format", text, found).strip()


@pytest.mark.long
def test_whatever_ends_comes_back_without_the_studio(
    engine: DockerEngine, site: Site, parcels: tuple[Parcel, Parcel]
) -> None:
    chosen = options(network="host")
    site.deploy(parcels[0], chosen, Recorder())
    roles = [one.name for one in site.resources() if one.kind == "container"]
    for name in roles:
        engine.run("exec", name, "python3", "-c", "import os; os.kill(1, 15)")
        until(lambda: _answers(int(chosen["port"])), f"it answers after the end of {name}", 60)
    engine.stop()
    assert engine.start()
    until(lambda: _answers(int(chosen["port"])), "it answers after the engine's restart", 60)
    assert [one.state for one in site.releases()] == ["serving"]


def _answers(port: int) -> bool:
    with Load(port, clients=1) as load, suppress(AssertionError):
        load.more(1)
    return not load.failures


@pytest.mark.long
def test_the_port_moves_and_a_lost_gate_is_made_again(
    engine: DockerEngine, site: Site, parcels: tuple[Parcel, Parcel]
) -> None:
    first, moved = options(network="host"), options(network="host")
    for parcel in parcels:
        site.deploy(parcel, first, Recorder())
    plan = site.preview(parcels[1], moved)
    assert [one.name for one in plan.actions if one.state == "warning"] == ["gate"]
    assert site.deploy(parcels[1], moved, Recorder()).state == "unchanged"
    until(lambda: _answers(int(moved["port"])), "it answers at the new port")
    assert not _answers(int(first["port"]))
    (gate,) = [one.name for one in site.resources() if one.name.endswith("-gate")]
    engine.run("rm", "--force", gate)
    assert not [one for one in site.releases() if one.state == "serving"]
    site.deploy(parcels[1], moved, Recorder())
    until(lambda: _answers(int(moved["port"])), "it answers again")
    assert site.rollback(None, Recorder()).release == parcels[0].digest, "it was kept"


def test_a_taken_port(site: Site, parcels: tuple[Parcel, Parcel]) -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer

    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        for network in ("host", "bridge"):
            chosen = options(network=network, port=server.server_port)
            with pytest.raises(TargetError, match=r"port .*taken|Cannot listen at port"):
                site.deploy(parcels[0], chosen, Recorder())
            assert not [one for one in site.resources() if one.kind == "container"]


def test_packaged_run_pushed_and_pulled(
    engine: DockerEngine, studio: Studio, digits: Path, tmp_path: Path
) -> None:
    with RegistryServer(tmp_path / "registry", free_port(), "secret") as registry:
        name = f"{registry.address}/team/digits:1"
        words = ("package", digits / "digits.onnx", "--data", digits / "heldout.npz")
        chosen = with_options(base=BASE, licence="MIT", push="true", size_budget_mb=400)
        words = (*words, "--out", tmp_path / "bundle", "--image", name, *chosen)
        refused = studio.run(*words)
        assert refused.code == 1
        assert "The registry wants" in refused.err
        secret = base64.b64encode(b"ann:secret").decode()
        login = {"auths": {registry.address: {"auth": secret}}}
        (studio.home / "config" / "config.json").write_text(json.dumps(login))
        made = studio.ok(*words, "--image-out", tmp_path / "image")
        assert {"bundle", "digest", "bytes", "image"} <= set(made)
        assert made["image"] == name
        assert made["pushed"].startswith("sha256:")
        engine.run("rmi", "--force", made["id"])
        environment = {**os.environ, "DOCKER_CONFIG": str(studio.home / "config")}
        pull = ["docker", "-H", engine.url, "pull", "--quiet", name]
        subprocess.run(pull, check=True, env=environment, capture_output=True, timeout=120)
    check_labels(engine, name, made)
    check_inside(engine, name)
    check_size(studio, made)
    check_context(engine, Path(made["context"]), made)


def with_options(**values: object) -> list[str]:
    """Options of a plugin, as the command takes them."""
    return [word for name, value in values.items() for word in ("--set", f"{name}={value}")]


def check_labels(engine: DockerEngine, name: str, made: dict[str, Any]) -> None:
    about = json.loads(engine.run("inspect", name))[0]
    assert about["Id"] == made["id"], "what was pulled is what was made"
    assert about["RootFS"]["Layers"][-3:] == made["layers"]
    labels = about["Config"]["Labels"]
    assert labels["org.opencontainers.image.licenses"] == "MIT"
    assert labels["edgewright.release"] == made["digest"]
    assert about["Config"]["User"] == "10001:10001"


def check_inside(engine: DockerEngine, name: str) -> None:
    """Without a network, without rights and with nothing that it may write to."""
    walls = ("--network", "none", "--read-only", "--cap-drop", "ALL", "--detach")
    container = engine.run("run", *walls, name).strip()
    health = ("inspect", "--format", "{{.State.Health.Status}}", container)
    until(lambda: engine.run(*health).strip() == "healthy", "the container is healthy", 60)
    found = json.loads(engine.run("exec", container, "python3", "-c", INSIDE))
    assert found == [10, 10001, ["Read-only file system"] * 3, ["lo"]]
    asked = engine.run("exec", container, "python3", "/opt/edgewright/edgewright.pyz", "health")
    assert json.loads(asked) == {"ready": True}
    engine.run("rm", "--force", container)


def check_size(studio: Studio, made: dict[str, Any]) -> None:
    """At most 1.3 times the same base with numpy and onnxruntime as pip would unpack them."""
    plain = made["parts"]["base"]
    for name in ("numpy", "onnxruntime"):
        (wheel,) = (studio.home / "edgewright" / "cache" / "wheels").glob(f"{name}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            plain += sum(member.file_size for member in archive.infolist())
    print(f"{made['image_bytes'] / 1e6:.1f} MB, {made['image_bytes'] / plain:.3f} of plain")
    assert made["image_bytes"] <= 1.3 * plain


def check_context(engine: DockerEngine, context: Path, made: dict[str, Any]) -> None:
    """The written Dockerfile makes an image that serves the same; nothing of pip is added."""
    environment = {**os.environ, "DOCKER_BUILDKIT": "0"}
    command = ["docker", "-H", engine.url, "build", "--quiet", "--network", "none", str(context)]
    done = subprocess.run(
        command, check=True, env=environment, capture_output=True, text=True, timeout=300
    )
    image = done.stdout.strip()
    check_inside(engine, image)
    about = json.loads(engine.run("inspect", image))[0]["Config"]
    ours = json.loads(engine.run("inspect", made["image"]))[0]["Config"]
    for key in ("User", "Entrypoint", "Cmd", "ExposedPorts", "Labels"):
        assert about[key] == ours[key], key
    assert set(ours["Env"]) <= set(about["Env"]), "the builder adds a PATH of its own"


@pytest.mark.long
def test_deployed_by_the_command_and_closed_in_the_middle(
    engine: DockerEngine, studio: Studio, digits: Path
) -> None:
    model, place = digits / "digits.onnx", ("--target", "eng")
    assert studio.run("target", "add", "eng", "docker:digits").code == 0
    token = studio.home / "token"
    token.write_text("open-sesame-open-sesame\n")
    chosen = with_options(base=BASE, port=free_port(), token_file=token)
    words = ("deploy", model, *place, *chosen)
    refused = studio.run(*words, "--canary", "10")
    assert (refused.code, "no canary" in refused.err) == (4, True)
    assert studio.ok("target", "resources", "eng")["resources"] == []
    kill_in_the_middle(engine, studio, *words)
    left = studio.ok("target", "resources", "eng")["resources"]
    assert {"container", "image", "volume"} == {one["kind"] for one in left}, "nothing is hidden"
    assert not [one for one in studio.ok("releases", *place) if one["state"] == "serving"]
    done = studio.ok(*words)
    assert done["state"] == "serving"
    called = studio.ok("call", *place, "--requests", "1000", "--data", digits / "heldout.npz")
    assert (called["answered"], called["failed"]) == (1000, 0)
    containers = [
        one for one in studio.ok("target", "resources", "eng")["resources"] if one["running"]
    ]
    assert len(containers) == 2, "the gate and one release"
    assert studio.ok("logs", *place)["lines"]
    assert studio.run("undeploy", *place, "--purge").code == 0
    assert studio.ok("target", "resources", "eng")["resources"] == []
    assert "edgewright/digits" not in engine.run("images")


def kill_in_the_middle(engine: DockerEngine, studio: Studio, *words: str | Path) -> None:
    """Kill the command, and with it its worker, when the release's container has just been made."""
    command = [str(STUDIO), *map(str, words)]
    process = subprocess.Popen(
        command, env=studio.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    listed = ("ps", "--all", "--quiet", "--filter", "label=edgewright.role=release")
    before = engine.run(*listed)
    until(lambda: engine.run(*listed) != before, "a container is made", 120)
    process.send_signal(signal.SIGKILL)
    process.wait(20)


def test_no_right_to_use_the_engine(engine: DockerEngine) -> None:
    os.seteuid(65534)
    try:
        with pytest.raises(
            TargetError, match="No permission to use the container engine"
        ) as raised:
            connect(engine.url)
    finally:
        os.seteuid(0)
    assert "usermod -aG docker" in raised.value.hint


def test_a_full_disk(parcels: tuple[Parcel, Parcel]) -> None:
    with docker_engine(disk_mb=150) as small:
        small.load_base()
        with site_at(small.socket, "full") as site:
            with pytest.raises(TargetError, match="The disk of the container engine is full"):
                site.deploy(parcels[0], options(network="host"), Recorder())
            assert not [one for one in site.resources() if one.kind == "container"]


def test_an_open_door_needs_a_yes(site: Site, parcels: tuple[Parcel, Parcel]) -> None:
    with pytest.raises(Refused, match="would accept unauthenticated requests"):
        site.deploy(parcels[0], options(host="0.0.0.0"), Recorder())
    plan = site.preview(parcels[0], options(host="0.0.0.0", allow_unauthenticated=True))
    assert not [one for one in plan.actions if one.state == "blocked"]
    assert not site.resources()


def test_callers_need_the_token(site: Site, parcels: tuple[Parcel, Parcel], tmp_path: Path) -> None:
    secret, file = "a" * 20, tmp_path / "token"
    file.write_text(f"{secret}\n")
    chosen = options(network="host", host="0.0.0.0", token_file=str(file))
    site.deploy(parcels[0], chosen, Recorder())
    way = site.reach()
    assert getattr(way, "token", None) == secret
    port = int(chosen["port"])
    with Load(port, clients=1, headers=lambda: {"Authorization": f"Bearer {secret}"}) as load:
        load.more(5)
    assert load.failures == []
    with Load(port, clients=1) as load:
        load.more(1)
    assert load.failures[0].startswith("401")
    file.write_text("short\n")
    with pytest.raises(UsageError, match="fewer than 16 characters"):
        site.deploy(parcels[0], chosen, Recorder())


def test_a_base_image_that_is_nowhere(site: Site, parcels: tuple[Parcel, Parcel]) -> None:
    chosen = options(base=f"127.0.0.1:{free_port()}/none:1")
    with pytest.raises(TargetError, match="is not here, and cannot be fetched: the registry does"):
        site.deploy(parcels[0], chosen, Recorder())
    assert not site.resources()


def test_defaults_are_an_option_of_the_target(engine: DockerEngine) -> None:
    platform = DockerPlatform()
    names = {option.name for option in platform.deploy_options}
    assert {"port", "memory_mb", "cpus", "base", "size_budget_mb"} <= names
    validate(platform.options, {"engine": engine.url})
    spec = TargetSpec("x", "docker:x", settings={"engine": engine.url})
    site = platform.open(spec, Recorder())
    try:
        assert site.identity().facts["product"] == "Docker"
    finally:
        site.close()

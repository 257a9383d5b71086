"""Environments of plugins: made offline by a real pip, looked at, used, refused."""

from __future__ import annotations

import io
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy
import pytest

from studio.api import Cancelled, Silent, StudioError, ToolchainBackend, Unavailable
from studio.api.testing import check_backend
from studio.api.toolchains import EnvironmentNeed
from studio.jobs.worker import WorkerJob
from studio.plugin_host.environments import Environment, EnvironmentCondition, PluginToolchain
from studio.plugin_host.environments import build as making
from studio.plugin_host.environments.build import EnvironmentBuild
from studio.plugin_host.environments.declaration import lock_problem, read_need
from studio.plugin_host.environments.environment import RECORD
from studio.plugin_host.environments.tool_run import ToolRun
from studio.steps import environments
from studio.steps.texts import installed
from tests.rigs import toolchain as rig

NEED = EnvironmentNeed("requirements.lock", imports=("example_tool",), megabytes=1)


def environment(folder: Path, need: EnvironmentNeed = NEED, lock: str = "") -> Environment:
    """One that is not made yet, with its plugin and its wheel."""
    wheel = rig.make_wheel(folder / "wheels")
    source = rig.make_plugin(folder / "plugins", lock or rig.lock_of(wheel))
    return Environment(rig.ID, need, source, folder / "environments")


def make(one: Environment, folder: Path) -> None:
    """Make it in a folder of a job, and put it in its place."""
    folder.mkdir(exist_ok=True)
    EnvironmentBuild(one, folder / "made", Silent(), one.source.parents[1] / "wheels").run()
    one.adopt(folder / "made")


@pytest.fixture(params=["uv", pytest.param("pip", marks=pytest.mark.slow)])
def installer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install with pip where it is, which takes seconds, or as if there were uv alone."""
    if request.param == "uv":
        _hide_pip(monkeypatch)


def _hide_pip(patch: pytest.MonkeyPatch) -> None:
    real = making.importlib.util.find_spec
    patch.setattr(
        making.importlib.util, "find_spec", lambda name: None if name == "pip" else real(name)
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An installed environment, which no test changes."""
    folder = tmp_path_factory.mktemp("environment")
    one = environment(folder)
    assert one.state().condition is EnvironmentCondition.MISSING
    with pytest.MonkeyPatch.context() as patch:
        _hide_pip(patch)
        make(one, folder / "job")
    return one


def test_what_was_installed_is_told(made: Environment) -> None:
    state = made.state()
    assert state.condition is EnvironmentCondition.INSTALLED
    assert state.reason == ""
    assert state.versions == {rig.DISTRIBUTION: "1.0"}
    assert state.python.startswith("3.")
    assert state.bytes > 1000
    assert PluginToolchain(made).version("edgewright_example.tool") == "1.0"
    assert not (made.folder / "bin" / "pip").exists()  # a tool cannot install more by itself


def test_nothing_is_used_before_it_is_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="example_tools is not installed yet") as caught:
        _ = PluginToolchain(environment(tmp_path)).python
    assert "studio backends install example_tools" in caught.value.hint


@pytest.mark.parametrize(
    ("damage", "condition", "words"),
    [
        (
            lambda one: (one.folder / RECORD).unlink(),
            EnvironmentCondition.BROKEN,
            "record is missing",
        ),
        (
            lambda one: (one.folder / RECORD).write_text("[]"),
            EnvironmentCondition.BROKEN,
            "damaged",
        ),
        (
            lambda one: one.interpreter.unlink(),
            EnvironmentCondition.BROKEN,
            "not on this machine any more",
        ),
        (lambda one: one.lock.unlink(), EnvironmentCondition.BROKEN, "cannot be read"),
        (
            lambda one: one.lock.write_text("a==1\n"),
            EnvironmentCondition.OUTDATED,
            "other requirements",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path, made, damage, condition, words) -> None:
    shutil.copytree(made.parent, tmp_path / "environments", symlinks=True)
    shutil.copytree(made.source, tmp_path / "source")
    one = Environment(rig.ID, NEED, tmp_path / "source", tmp_path / "environments")
    assert one.state().condition is EnvironmentCondition.INSTALLED
    damage(one)
    state = one.state()
    assert state.condition is condition
    assert words in state.reason
    with pytest.raises(Unavailable, match=words):
        one.usable()


def test_another_hash_is_refused_and_nothing_is_left(tmp_path: Path, installer: None) -> None:
    one = environment(tmp_path)
    one.lock.write_text(f"{rig.DISTRIBUTION}==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(StudioError, match="The hash of a package differs"):
        make(one, tmp_path / "job")
    assert one.state().condition is EnvironmentCondition.MISSING


def test_a_package_that_is_not_there(tmp_path: Path, installer: None) -> None:
    one = environment(tmp_path)
    shutil.rmtree(tmp_path / "wheels")
    (tmp_path / "wheels").mkdir()
    with pytest.raises(StudioError, match=r"could not be downloaded in .*wheels"):
        make(one, tmp_path / "job")


def test_what_cannot_be_imported_is_not_installed(tmp_path: Path, installer: None) -> None:
    one = environment(tmp_path)
    one.lock.write_text(rig.lock_of(rig.make_wheel(tmp_path / "wheels", module="import nothing")))
    with pytest.raises(StudioError, match=r"cannot be imported: .*No module named 'nothing'"):
        make(one, tmp_path / "job")
    assert one.state().condition is EnvironmentCondition.MISSING


@pytest.mark.slow
def test_it_is_made_by_pip(tmp_path: Path) -> None:
    one = environment(tmp_path)
    make(one, tmp_path / "job")
    assert one.state().versions == {rig.DISTRIBUTION: "1.0"}


def test_what_chatters_is_installed_all_the_same(tmp_path: Path, monkeypatch) -> None:
    one = environment(tmp_path)
    chatter = "import atexit, os\natexit.register(os.write, 1, b'bye')\nprint('hello')\n"
    one.lock.write_text(rig.lock_of(rig.make_wheel(tmp_path / "wheels", module=chatter)))
    _hide_pip(monkeypatch)
    make(one, tmp_path / "job")
    assert one.state().versions == {rig.DISTRIBUTION: "1.0"}


def test_no_python_and_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    one = environment(tmp_path, EnvironmentNeed("requirements.lock", python="<3.0"))
    with pytest.raises(Unavailable, match=r"No Python <3\.0 is on this machine"):
        make(one, tmp_path / "job")
    large = EnvironmentNeed("requirements.lock", megabytes=10**9)
    one = Environment(rig.ID, large, one.source, one.parent)
    with pytest.raises(StudioError, match=r"needs 1500000000 MB, and .* MB left"):
        make(one, tmp_path / "job")


def commands_with(*words: str) -> Iterator[bytes]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        command = _content(path)
        if all(word.encode() in command for word in words):
            yield command


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_one_at_a_time(tmp_path: Path, made: Environment) -> None:
    with made.changing(), pytest.raises(StudioError, match="being installed or removed"):
        made.remove()
    assert made.state().condition is EnvironmentCondition.INSTALLED


def test_a_new_one_takes_the_place_of_the_old_one(tmp_path: Path, made: Environment) -> None:
    one = Environment(rig.ID, NEED, made.source, tmp_path)
    for _ in range(2):
        shutil.copytree(made.folder, tmp_path / "new", symlinks=True)
        one.adopt(tmp_path / "new")
        assert one.state().condition is EnvironmentCondition.INSTALLED
    assert one.remove()
    assert not one.remove()
    assert [path.name for path in tmp_path.iterdir()] == [f".{rig.ID}.lock"]


def test_a_tool_runs_by_itself(tmp_path: Path, made: Environment) -> None:
    heard: list[tuple[float, str]] = []
    progress = SimpleNamespace(
        progress=lambda done, total, text: heard.append((done, text)), check=lambda: None
    )
    told = PluginToolchain(made).run(made.source / "tool.py", {}, tmp_path, progress)
    assert told["tool"] == "1.0"
    assert told["prefix"] == str(made.folder)
    assert told["home"] == str(tmp_path)
    assert told["studio"] is False
    assert heard == [(0.0, "Begun"), (2.0, "Done")]


def test_a_backend_passes_the_suite_from_its_environment(tmp_path, made) -> None:
    shutil.copytree(made.parent, tmp_path / "environments", symlinks=True)
    one = Environment(rig.ID, NEED, made.source, tmp_path / "environments")
    rig.lend_numpy(one.folder)

    class Runtime(ToolchainBackend):
        id, title, distribution = "example-runtime", "Example runtime", rig.DISTRIBUTION
        runner = made.source / "runner.py"

    backend = Runtime(PluginToolchain(one))
    assert backend.python == str(one.interpreter)
    model = tmp_path / "model.onnx"
    model.touch()
    feeds = {"image": numpy.arange(64, dtype=numpy.float32).reshape(1, 1, 8, 8)}
    outputs = check_backend(backend, model, feeds)
    assert outputs["scores"].tolist() == [list(range(10))]


@pytest.mark.parametrize(
    ("does", "words"),
    [
        ("raise", "example_tools's tool failed: the model is not to my taste"),
        ("die", "example_tools's tool was killed by signal 11"),
        ("leave", "example_tools's tool ended with status 7"),
        ("memory", "example_tools's tool failed: It needs more memory"),
        ("hang", "example_tools's tool made no progress for 1 s and was stopped"),
    ],
)
def test_a_tool_that_fails_is_one_sentence(tmp_path, made, does, words) -> None:
    run = ToolRun(made.interpreter, made.source / "tool.py", tmp_path, patience=1)
    with pytest.raises(StudioError, match=words):
        run.result({"do": does}, Silent())


class States(Silent):
    """The states that a tool reports."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Keep the state."""
        self.texts.append(text)


def test_a_tool_that_computes_in_silence_is_not_stopped(tmp_path: Path, made: Environment) -> None:
    """The export of a large model takes minutes; its own limit is the job's."""
    run = ToolRun(made.interpreter, made.source / "tool.py", tmp_path, patience=2)
    seen = States()
    assert run.result({"do": "compute"}, seen) == {"done": True}
    # So that the job, which has a limit for silence as well, goes on.
    assert len(seen.texts) > 10
    assert set(seen.texts) == {"Begun"}


@pytest.mark.parametrize("line", ["garbage", "[1]", '{"event": 1}', "[" * 100_000])
def test_a_tool_that_writes_other_lines_than_events(tmp_path, made, line) -> None:
    tool = tmp_path / "tool.py"
    tool.write_text(
        "import os\n"
        "def run(request, progress):\n"
        "    for number in os.listdir('/proc/self/fd'):\n"
        "        if int(number) > 2:\n"
        "            try:\n"
        "                os.write(int(number), request['line'].encode() + b'\\n')\n"
        "            except OSError:\n"
        "                pass\n"
        "    return {}\n"
    )
    with pytest.raises(StudioError, match="tool wrote a line that is no event"):
        ToolRun(made.interpreter, tool, tmp_path).result({"line": line}, Silent())


def test_a_cancelled_tool_is_ended(tmp_path: Path, made: Environment) -> None:
    asked = threading.Event()
    threading.Timer(0.3, asked.set).start()

    def check() -> None:
        if asked.is_set():
            raise Cancelled

    begun = time.monotonic()
    progress = SimpleNamespace(progress=lambda *_: None, check=check)
    with pytest.raises(Cancelled):
        PluginToolchain(made).run(made.source / "tool.py", {"do": "hang"}, tmp_path, progress)
    assert time.monotonic() - begun < 60
    assert not any(commands_with(str(made.source / "tool.py")))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing is required"),
        ("numpy\n", "'numpy' is not pinned"),
        ("numpy>=2\n", "is not pinned"),
        ("numpy==2.0\n", "'numpy==2.0' has no hash"),
        ("--index-url x\n", "is no pinned requirement"),
        ("numpy @ file://host/x --hash=sha256:0\n", "is no pinned requirement"),
        ("# a comment\nnumpy==2.0 \\\n    --hash=sha256:0a # why\n", ""),
    ],
)
def test_locks(text: str, words: str) -> None:
    assert words in lock_problem(text)
    assert bool(words) == bool(lock_problem(text))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "requirements"),
        ({"requirements": "../other.lock"}, "beside plugin.toml"),
        ({"requirements": "a", "python": "any"}, "no range of versions"),
        ({"requirements": "a", "imports": ["os; evil"]}, "list of modules"),
        ({"requirements": "a", "image": "b"}, "unknown key 'image'"),
    ],
)
def test_declarations_that_cannot_be_used(table: dict[str, object], words: str) -> None:
    with pytest.raises((KeyError, ValueError), match=words):
        read_need(table)


def test_what_is_missing_is_called_by_its_name(tmp_path: Path) -> None:
    one = replace(environment(tmp_path), title="Example tools", name="tools")
    with pytest.raises(Unavailable, match=r"^Example tools is not installed yet\.$") as caught:
        one.usable()
    assert "studio backends install tools," in caught.value.hint


def test_an_environment_that_is_up_to_date_is_not_built_again(
    made: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environments, "environment_of", lambda host, name: made)
    job = WorkerJob(tmp_path / "job", io.BytesIO())
    done = environments.install(environments.InstallOptions("other-name"), job)
    assert (done.existing, done.folder) == (True, str(made.folder))
    assert installed(done)[0].startswith("other-name is installed already: ")
    assert not job.folder.exists()

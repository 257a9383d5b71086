"""What is seen behind walls: links as they are, code wherever it lies, no home."""

from __future__ import annotations

import os
import subprocess
import sys
import types
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from studio.api import Permission
from studio.jobs.sandbox import Containment, Sandbox, confine, containment
from studio.jobs.sandbox.bubblewrap import working_bubblewrap
from studio.jobs.sandbox.level import by_bubblewrap, by_kernel
from studio.jobs.sandbox.view import View, readable_around, view_for


def kinds() -> Iterator[Containment]:
    """Each kind of walls that works here."""
    bubblewrap = working_bubblewrap()
    if bubblewrap is not None:
        yield by_bubblewrap(bubblewrap)
    if confine.landlock_abi() >= confine.OLDEST_ABI:
        yield by_kernel(min(confine.landlock_abi(), confine.TESTED_ABI), filtered=True)


EACH_KIND = pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.value)


def said(
    kind: Containment,
    folder: Path,
    command: Sequence[str],
    reads: Sequence[Path] = (),
    **options: object,
) -> str:
    """What a command prints behind walls; it must succeed."""
    folder.mkdir(exist_ok=True)
    walls = Sandbox(kind, folder, tuple(reads))
    pipe = subprocess.PIPE
    with walls.start(command, stdout=pipe, stderr=pipe, cwd=folder, **options) as process:
        out, err = process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode().strip()


def test_this_machine_has_walls() -> None:
    assert list(kinds()), containment()


def test_places_and_the_links_on_the_way(tmp_path: Path) -> None:
    real = tmp_path / "real"
    (real / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "far").symlink_to(tmp_path / "link" / "inner")
    (tmp_path / "gone").symlink_to("nowhere")
    (tmp_path / "ring").symlink_to("ring")
    base = os.path.realpath(tmp_path)
    assert View.of([tmp_path / "far"]) == View(
        (f"{base}/real/inner",), {f"{base}/far": f"{base}/link/inner", f"{base}/link": "real"}
    )
    assert View.of([tmp_path / "gone", tmp_path / "ring", tmp_path / "none"]).places == ()
    assert View.of([real, real / "inner"]).places == (f"{base}/real",)
    assert View.of(["/", "/proc/self", "/dev/null"]).places == ()


def test_the_home_is_not_seen_for_a_module_that_was_started_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert os.path.realpath(tmp_path) not in view_for((), frozenset()).places


def test_names_of_the_network_are_seen_by_those_that_use_it() -> None:
    assert "/etc/hosts" not in view_for((), frozenset()).places
    assert "/etc/hosts" in view_for((), frozenset({Permission.NETWORK})).places


def test_the_users_own_authorities_are_seen_by_those_that_use_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authorities = Path(os.path.realpath(tmp_path)) / "authorities.pem"
    authorities.write_text("x")
    monkeypatch.setenv("SSL_CERT_FILE", str(authorities))
    assert str(authorities) not in view_for((), frozenset()).places
    assert str(authorities) in view_for((), frozenset({Permission.NETWORK})).places


def test_a_package_that_a_finder_maps_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finder = types.ModuleType("__editable___plugin_1_0_finder")
    monkeypatch.setattr(finder, "MAPPING", {"plugin": str(tmp_path)}, raising=False)
    monkeypatch.setitem(sys.modules, finder.__name__, finder)
    assert os.path.realpath(tmp_path) in view_for((), frozenset()).places


class _Importing(str):
    """The name of a module during whose look-up another one is imported, as by a thread."""

    __slots__ = ()

    def startswith(self, *arguments: object) -> bool:
        sys.modules["imported_now"] = types.ModuleType("imported_meanwhile")
        return super().startswith(*arguments)  # type: ignore[arg-type]


def test_an_import_of_another_thread_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, _Importing("importing"), types.ModuleType("importing"))
    monkeypatch.setitem(sys.modules, "imported_now", types.ModuleType("to be taken out"))
    del sys.modules["imported_now"]
    assert view_for((), frozenset()).places
    assert "imported_now" in sys.modules


@pytest.mark.parametrize("folder", ["/etc", "/", "/run", "/var"])
def test_a_file_of_a_folder_of_the_system_shows_itself_alone(folder: str) -> None:
    path = Path(folder) / "model.onnx"
    assert readable_around(path) == [path]


def test_a_file_in_the_home_shows_its_plain_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Path(os.path.realpath(tmp_path))
    monkeypatch.setenv("HOME", str(home))
    (home / ".ssh").mkdir()
    for name in ("model.onnx", "weights", ".netrc"):
        (home / name).write_text("x")
    shown = readable_around(home / "model.onnx")
    assert set(shown) == {home / "model.onnx", home / "weights"}


def test_a_file_above_the_home_shows_no_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    above = Path(os.path.realpath(tmp_path))
    home = above / "users" / "ada"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    for path in (above / "model.onnx", above / "weights", home / "key"):
        path.write_text("x")
    assert set(readable_around(above / "model.onnx")) == {above / "model.onnx", above / "weights"}


@EACH_KIND
def test_an_interpreter_behind_links_starts(kind: Containment, tmp_path: Path) -> None:
    """As those of pyenv, uv and a virtual environment: a link to a link to the program."""
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "current").symlink_to(Path(sys.base_prefix), target_is_directory=True)
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to(versions / "current" / "bin" / Path(os.path.realpath(sys.executable)).name)
    command = [str(python), "-I", "-c", "import ssl, ctypes; print('works')"]
    assert said(kind, tmp_path / "job", command, reads=[python]) == "works"


@EACH_KIND
def test_an_environment_of_a_plugin_works(kind: Containment, tmp_path: Path) -> None:
    made = tmp_path / "environments" / "tool"
    venv.create(made, with_pip=False, symlinks=True)
    python = made / "bin" / "python"
    command = [str(python), "-I", "-c", "import sys; print(sys.prefix)"]
    reads = [made.parent, python]
    assert said(kind, tmp_path / "job", command, reads=reads) == str(made)


@EACH_KIND
def test_a_path_file_that_points_elsewhere_is_followed(kind: Containment, tmp_path: Path) -> None:
    """As an editable installation has it: in the environment of the studio itself."""
    made = tmp_path / "venv"
    venv.create(made, with_pip=False, symlinks=True)
    elsewhere = tmp_path / "checkout" / "plugin"
    elsewhere.mkdir(parents=True)
    (elsewhere / "editable.py").write_text("WHERE = __file__")
    packages = next(made.glob("lib/python*/site-packages"))
    studio = [entry for entry in sys.path if entry and Path(entry, "studio").is_dir()]
    (packages / "editable.pth").write_text("\n".join([str(elsewhere), *studio]))
    inner = "import editable; print(editable.WHERE)"
    script = f"""
import sys
from pathlib import Path
from studio.jobs.sandbox import Sandbox
from studio.jobs.sandbox.bubblewrap import working_bubblewrap
from studio.jobs.sandbox.level import by_bubblewrap, by_kernel
kind = by_kernel({kind.abi}, filtered=True) if {kind.abi} else by_bubblewrap(working_bubblewrap())
folder = Path({str(tmp_path / "job")!r})
folder.mkdir()
process = Sandbox(kind, folder).start([sys.executable, "-c", {inner!r}], cwd=folder)
sys.exit(process.wait())
"""
    done = subprocess.run(
        [str(made / "bin" / "python"), "-c", script], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(elsewhere / "editable.py")


@EACH_KIND
def test_external_data_and_files_in_the_home_are_read(
    kind: Containment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "user"
    (home / "models" / "data").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    for name in ("models/net.onnx", "models/data/weights", "key"):
        (home / name).write_text(name)
    reads = readable_around(home / "models" / "net.onnx")
    command = ["cat", str(home / "models" / "net.onnx"), str(home / "models/data/weights")]
    assert said(kind, tmp_path / "job", command, reads) == "models/net.onnxmodels/data/weights"
    hidden = ["sh", "-c", f"cat {home / 'key'} 2>/dev/null || echo closed"]
    assert said(kind, tmp_path / "job", hidden, reads) == "closed"


@EACH_KIND
def test_a_command_with_the_network_reaches_it(kind: Containment, tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        connect = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)"
        command = [sys.executable, "-c", connect]
        for needs, status in ((frozenset({Permission.NETWORK}), 0), (frozenset(), 1)):
            folder = tmp_path / f"job{status}"
            folder.mkdir()
            walls = Sandbox(kind, folder, needs=frozenset(needs))
            process = walls.start(command, cwd=folder, stderr=subprocess.DEVNULL)
            assert process.wait() == status


def test_a_policy_that_cannot_be_kept_starts_nothing(tmp_path: Path) -> None:
    """An invalid filter stands for whatever a kernel refuses."""
    policy = confine.Policy(0, calls=b"\xff" * 8)
    left = tmp_path / "left"
    command = [sys.executable, "-I", "-S", confine.__file__, policy.to_json(), "touch", str(left)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == confine.FAILED
    assert "The command was not started: seccomp" in done.stderr
    assert not left.exists()


@pytest.mark.parametrize("abi", range(confine.OLDEST_ABI, confine.TESTED_ABI + 1))
def test_each_version_of_landlock_closes_the_files(abi: int, tmp_path: Path) -> None:
    if confine.landlock_abi() < abi:
        pytest.skip(f"this kernel has no Landlock {abi}")
    secret = tmp_path / "secret"
    secret.write_text("x")
    kind = by_kernel(abi, filtered=False)
    command = ["sh", "-c", f"cat {secret} 2>/dev/null || echo closed; echo y > mine; cat mine"]
    assert said(kind, tmp_path / "job", command) == "closed\ny"

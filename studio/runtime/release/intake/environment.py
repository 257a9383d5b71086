"""A Python environment for a release, made of wheels without pip and without the venv module."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Tuple

from ...shared.errors import ReleaseError
from ...shared.files import plain_name, remove, sync, write_atomically
from ...shared.records import read
from ...shared.safe_zip import chunks, open_archive
from ..board import Board
from ..store.layout import MARKER
from .receive import require_room

_IMPORT_S = 120.0


def interpreter(folder: Path) -> Path:
    """Return the interpreter of an environment."""
    return folder / "bin" / "python3"


class InstallRequest(NamedTuple):
    """An environment that is to be made.

    Attributes:
        env: Digest of the set of wheels.
        imports: Modules that must load.
    """

    env: str
    wheels: Tuple[Mapping[str, object], ...] = ()
    imports: Tuple[str, ...] = ()


class _Wheel(NamedTuple):
    """A wheel: its file name, and its SHA-256."""

    name: str
    sha256: str


def install(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Unpack wheels into a new environment, try to import what it is for, put it in place.

    Args:
        request: An ``InstallRequest`` in JSON form.

    Raises:
        ReleaseError: when a wheel is damaged or does not work on this machine.
    """
    layout, asked = board.layout, read(InstallRequest, request)
    final = layout.environment(asked.env)
    if (final / MARKER).is_file():
        return {"env": final.name, "installed": False}
    listed = [read(_Wheel, one) for one in asked.wheels]
    wheels = [(one.name, layout.blob(one.sha256)) for one in listed]
    require_room(layout, sum(unpacked_bytes(path) for _, path in wheels))
    aside = final.with_name(final.name + ".tmp")
    remove(aside)
    try:
        site = _skeleton(aside)
        for number, (name, path) in enumerate(wheels):
            board.emit(
                "progress", done=number, total=len(wheels), text="Installing {}".format(name)
            )
            _unpack(name, path, site)
        versions = _try_imports(aside, list(map(str, asked.imports)))
        facts = {
            "wheels": [name for name, _ in wheels],
            "blobs": [wheel.sha256 for wheel in listed],
            "versions": versions,
        }
        write_atomically(aside / MARKER, json.dumps(facts, sort_keys=True).encode())
        # Thousands of small files: one flush of everything is far cheaper than one for each.
        os.sync()
        os.replace(str(aside), str(final))
        sync(layout.environments)
    except zipfile.BadZipFile:
        raise ReleaseError("bad-wheel", "A wheel of the runtime is damaged.") from None
    except OSError as error:
        raise ReleaseError(
            "install-failed", "The runtime cannot be installed on this target: {}.".format(error)
        ) from None
    finally:
        remove(aside)
    board.journal.append("environment", env=final.name, versions=versions, owner=board.owner)
    return {"env": final.name, "installed": True, "versions": versions}


def unpacked_bytes(wheel: Path) -> int:
    """What a wheel takes when it is unpacked."""
    try:
        with open_archive(str(wheel)) as archive:
            return sum(member.file_size for member in archive.infolist())
    except (OSError, zipfile.BadZipFile):
        raise ReleaseError("bad-wheel", "A wheel of the runtime is damaged.") from None


def _skeleton(folder: Path) -> Path:
    """What makes a folder an environment to Python: a configuration and an interpreter."""
    base = os.path.realpath(sys.executable)
    interpreter(folder).parent.mkdir(parents=True)
    os.symlink(base, str(interpreter(folder)))
    text = "home = {}\ninclude-system-site-packages = false\nversion = {}\n".format(
        os.path.dirname(base), ".".join(map(str, sys.version_info[:3]))
    )
    (folder / "pyvenv.cfg").write_text(text)
    site = folder / "lib" / "python{}.{}".format(*sys.version_info[:2]) / "site-packages"
    site.mkdir(parents=True)
    return site


def _unpack(name: str, wheel: Path, site: Path) -> None:
    """Unpack a wheel's modules. Its scripts, headers and data files are not needed to serve."""
    with open_archive(str(wheel)) as archive:
        for member in archive.infolist():
            relative = _place(member.filename)
            if member.is_dir() or not relative:
                continue
            if not plain_name(relative):
                raise ReleaseError("bad-wheel", "The wheel {} holds an unsafe name.".format(name))
            target = site / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(target, "wb") as file:
                for chunk in chunks(archive, member):
                    file.write(chunk)


def _place(name: str) -> str:
    """Where a member of a wheel belongs below site-packages; empty: nowhere."""
    first, _, rest = name.partition("/")
    if not first.endswith(".data"):
        return name
    scheme, _, inner = rest.partition("/")
    return inner if scheme in ("purelib", "platlib") else ""


def _try_imports(folder: Path, modules: Sequence[str]) -> dict[str, str]:
    code = (
        "import importlib, json, sys\n"
        "found = {name: importlib.import_module(name) for name in sys.argv[1:]}\n"
        "print(json.dumps({name: getattr(found[name], '__version__', '') for name in found}))"
    )
    environment = dict(os.environ, ORT_DISABLE_TELEMETRY="1")
    environment.pop("PYTHONPATH", None)
    try:
        done = subprocess.run(
            [str(interpreter(folder)), "-I", "-c", code, *modules],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=_IMPORT_S,
            env=environment,
        )
        return dict(json.loads(done.stdout))
    except subprocess.TimeoutExpired:
        raise ReleaseError(
            "runtime-hangs", "The installed runtime did not load within {:g} s.".format(_IMPORT_S)
        ) from None
    except ValueError:
        raise _broken(folder, done.stderr.decode("utf-8", "replace")[-4000:]) from None


def _broken(folder: Path, detail: str) -> ReleaseError:
    if "failed to map segment" in detail:
        return ReleaseError(
            "noexec",
            "The file system of {} does not let code be run (noexec).".format(folder.parent),
            "Choose another folder for this target's releases.",
            detail,
        )
    return ReleaseError(
        "runtime-broken",
        "The installed runtime does not load on this target.",
        "Its processor or C library may be too old for these wheels.",
        detail,
    )

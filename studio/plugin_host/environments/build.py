"""Making an environment: interpreter, room, packages, proof that they can be imported."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from studio.api import Progress, StudioError, Unavailable
from studio.plugin_host.environments.declaration import lock_problem
from studio.plugin_host.environments.environment import Environment, EnvironmentRecord, write_record
from studio.plugin_host.environments.npm_packages import install_package, require_npm
from studio.settings.interpreter import own_python

_NEWEST, _OLDEST = 20, 8
_SECONDS = 10.0
_ASK = "import platform, sys; print(platform.python_version(), getattr(sys, '_base_executable', 0))"


def interpreter_for(versions: str) -> tuple[Path, str]:
    """Return an interpreter in a range of versions, and its version.

    Args:
        versions: A PEP 440 specifier.

    Raises:
        Unavailable: when this machine has none.
    """
    from packaging.specifiers import SpecifierSet

    range_ = SpecifierSet(versions)
    for path, version in _available():
        if range_.contains(version, prereleases=True):
            return path, version
    raise Unavailable(
        f"No Python {versions} is on this machine; the studio runs on {platform.python_version()}.",
        hint="Install one so that it is found by its name (python3.12 ...).",
    )


def _available() -> Iterator[tuple[Path, str]]:
    yield Path(sys.executable), platform.python_version()
    for minor in range(_NEWEST, _OLDEST - 1, -1):
        program = shutil.which(f"python3.{minor}")
        version = _version(program) if program else ""
        if program and version:
            yield Path(program), version


def _version(program: str) -> str:
    """Return the version that a program prints, empty when it is no working Python."""
    try:
        done = subprocess.run(
            [program, "-I", "-c", _ASK], capture_output=True, text=True, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.split()[0] if done.returncode == 0 and done.stdout else ""


Walled = tuple[Sequence[str], Sequence[int]]
"""A command behind walls, and the descriptors that it has to inherit."""

Contain = Callable[[Sequence[str], Path, Path], AbstractContextManager[Walled]]
"""Puts a command behind walls: given it, the folder it may write to and one that it must see."""

_LEASH = Path(__file__).with_name("leash.py")
_POLL_S = 0.2
_PROBE_S = 300.0
_ROOM = 1.5
"""Downloads lie beside what is unpacked from them."""

_INDEX_SETTING = re.compile(
    r"(PIP|UV)_(CONFIG_FILE|(DEFAULT_|EXTRA_)?INDEX(_URL|_STRATEGY)?|INDEX_\w+_(USERNAME|PASSWORD)"
    r"|FIND_LINKS|NO_INDEX|TRUSTED_HOST|INSECURE_HOST|(CLIENT_)?CERT|NATIVE_TLS|SYSTEM_CERTS"
    r"|PROXY|KEYRING_PROVIDER|(DEFAULT_|HTTP_)?(TIMEOUT|RETRIES)|CACHE_DIR|NO_CACHE(_DIR)?)"
)
"""Variables that say where packages come from. Others change what is installed, and where."""

_UNREACHABLE = re.compile(
    r"NewConnectionError|Failed to establish|Connection refused|Name or service not known"
    r"|Network is unreachable|name resolution|dns error|ConnectTimeout|tcp connect error"
)
_CUT = re.compile(
    r"IncompleteRead|Connection broken|ConnectionResetError|ReadTimeout|connection closed before"
    r"|issue with network connectivity|end of file before message|error decoding response body"
    r"|request or response body error"
)
"""What pip and uv write of a network that is missing, and of one that fails halfway."""

_NETWORK = "Check the network or the proxy, or give a folder of wheels with --wheels."

_PROBE = """
import importlib, json, os, sys
from importlib import metadata
out = os.dup(1)
os.dup2(2, 1)  # libraries print when they are imported, and when they are left
for name in sys.argv[1:]:
    importlib.import_module(name)
found = {one.metadata["Name"]: one.version for one in metadata.distributions()}
os.write(out, json.dumps(found).encode())
os._exit(0)
"""


class EnvironmentBuild:
    """One environment on its way, in a folder that is put in its place afterwards.

    Attributes:
        folder: Becomes the environment; it must not exist.
        wheels: A folder of wheels to take instead of asking an index; None for the index that
            pip is configured with.
    """

    def __init__(
        self,
        environment: Environment,
        folder: Path,
        progress: Progress,
        wheels: Path | None = None,
        contain: Contain | None = None,
    ) -> None:
        self._environment = environment
        self.folder = folder
        self._progress = progress
        self.wheels = wheels
        self._contain = contain or (lambda command, writes, sees: nullcontext((command, ())))

    def run(self) -> EnvironmentRecord:
        """Make it; returns its record.

        Raises:
            Unavailable: when there is no Python for it, or no installer.
            StudioError: when the lock is no lock, the disk is too small, a package is not to be
                had or has another hash, or what was installed cannot be imported.
        """
        need = self._environment.need
        problem = lock_problem(self._lock())
        if problem:
            raise StudioError(f"{self._environment.lock.name} cannot be used: {problem}.")
        require_npm(need.npm, self.wheels)
        python, version = interpreter_for(need.python)
        self._check_room()
        self._report(0.02, f"Making an environment with Python {version}")
        self._create(python)
        self._report(0.05, "Fetching and installing")
        self._install()
        for package in need.npm:
            self._report(0.85, f"Fetching {package.name}")
            install_package(package, self.folder, self.wheels, self._followed)
        self._report(0.9, "Importing what was installed")
        versions = self._probe()
        record = EnvironmentRecord(
            self._environment.plugin,
            self._environment.digest,
            version,
            versions | {package.name: package.version for package in need.npm},
            sum(one.lstat().st_size for one in self.folder.rglob("*")),
        )
        write_record(self.folder, record)
        self._report(1.0, "Installed")
        return record

    def _lock(self) -> str:
        try:
            return self._environment.lock.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise StudioError(f"{self._environment.lock} cannot be read: {error}.") from None

    def _check_room(self) -> None:
        needed = int(self._environment.need.megabytes * _ROOM)
        free = shutil.disk_usage(self.folder.parent).free >> 20
        if free < needed:
            raise StudioError(
                f"The environment of {self._environment.plugin} needs {needed} MB, and "
                f"{self.folder.parent} has {free} MB left.",
                hint="Free disk space, or move the data folder with EDGEWRIGHT_HOME.",
            )

    def _create(self, python: Path) -> None:
        command = [str(python), "-I", "-m", "venv", "--without-pip", str(self.folder)]
        output = self._followed(command)
        if output is None:
            return
        uv = _uv()
        if uv and self._followed([*uv, "venv", "--python", str(python), str(self.folder)]) is None:
            return
        raise Unavailable(
            f"{python} cannot make virtual environments.",
            hint="Install its module venv (Debian: apt install python3-venv), or uv.",
            detail=output[-4000:],
        )

    def _install(self) -> None:
        command = [*_installer(self.folder / "bin" / "python"), "--no-deps", "--require-hashes"]
        command += ["--only-binary", ":all:", "--requirement", str(self._environment.lock)]
        if self.wheels is not None:
            command += ["--no-index", "--find-links", str(self.wheels)]
        output = self._followed(command)
        if output is not None:
            text, hint = _refusal(output, self.wheels)
            raise StudioError(text, hint=hint, detail=output[-4000:])

    def _probe(self) -> dict[str, str]:
        python = str(self.folder / "bin" / "python")
        command = [python, "-I", "-c", _PROBE, *self._environment.need.imports]
        scratch = self.folder.with_suffix(".probe")
        scratch.mkdir()
        try:
            with self._contain(command, scratch, self.folder) as (walled, descriptors):
                done = subprocess.run(
                    walled,
                    capture_output=True,
                    text=True,
                    timeout=_PROBE_S,
                    env=clean_variables(scratch),
                    cwd=scratch,
                    pass_fds=descriptors,
                )
        except subprocess.TimeoutExpired:
            raise StudioError("What was installed did not finish its import in time.") from None
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
            raise StudioError(
                f"What was installed for {self._environment.plugin} cannot be imported: "
                f"{last.rstrip('.')}.",
                detail=done.stderr[-4000:],
            )
        return {str(k): str(v) for k, v in json.loads(done.stdout).items()}

    def _followed(self, command: Sequence[str]) -> str | None:
        """Run a command with an eye on the job; what it said if it failed, else None."""
        log = self.folder.with_suffix(".log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                own_python(str(_LEASH), *command),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=self.folder.parent,  # uv would take the settings of a project around it
                env=_installer_variables(),
            )
            try:
                while _runs(process):
                    self._progress.progress(*self._share(log))
            finally:
                assert process.stdin is not None
                process.stdin.close()  # ends what still runs
                process.wait()
        text = log.read_text(encoding="utf-8", errors="replace")
        log.unlink()
        return None if process.returncode == 0 else text or f"status {process.returncode}"

    def _share(self, log: Path) -> tuple[float, float, str]:
        """Return the installer's progress from its output: one line for each package."""
        text = log.read_text(encoding="utf-8", errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        taken = [line for line in lines if line.startswith("Collecting ")]
        total = max(1, self._lock().count("=="))
        share = 0.05 + 0.8 * min(1.0, len(taken) / total)
        last = taken[-1].split()[1].partition("==")[0] if taken else ""
        return share, 1.0, f"Fetching {last}" if last else "Fetching and installing"

    def _report(self, share: float, text: str) -> None:
        self._progress.progress(share, 1.0, text)


def clean_variables(folder: Path) -> dict[str, str]:
    """Return the variables of a process in an environment: nothing of the studio's own, no home."""
    kept = ("PATH", "LANG", "LC_ALL", "TZ")
    variables = {name: value for name, value in os.environ.items() if name in kept}
    variables.update(HOME=str(folder), TMPDIR=str(folder), PYTHONNOUSERSITE="1")
    variables.update(ORT_DISABLE_TELEMETRY="1", PYTHONDONTWRITEBYTECODE="1")
    return variables


def _installer_variables() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "UV_")) or _INDEX_SETTING.fullmatch(name)
    }


def _uv() -> list[str]:
    if importlib.util.find_spec("uv") is not None:
        return own_python("-m", "uv", "--quiet")
    program = shutil.which("uv")
    return [program, "--quiet"] if program else []


def _installer(python: Path) -> list[str]:
    """Return pip of the studio's own environment, which installs into another, or uv without it.

    Raises:
        Unavailable: when both are missing.
    """
    if importlib.util.find_spec("pip") is not None:
        quiet = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
        return own_python("-m", "pip", "--python", str(python), "install", *quiet)
    uv = _uv()
    if not uv:
        raise Unavailable("Neither pip nor uv is installed.")
    return [*uv, "pip", "install", "--python", str(python)]


def _refusal(output: str, wheels: Path | None) -> tuple[str, str]:
    """Return the complaint of an installer as one sentence, and its remedy."""
    if "DO NOT MATCH THE HASHES" in output or "ash mismatch" in output:
        return ("The hash of a package differs from the plugin's lock file.", "")
    if "No space left on device" in output:
        return ("The disk is too full for the environment.", "")
    place = f"in {wheels}" if wheels else "from the index that pip is configured with"
    if wheels is None and _UNREACHABLE.search(output):
        return (f"The packages could not be downloaded {place}: it cannot be reached.", _NETWORK)
    if wheels is None and _CUT.search(output):
        return (f"The packages could not be downloaded {place}: the connection was cut.", _NETWORK)
    errors = [line for line in output.splitlines() if line.startswith("ERROR:")]
    last = errors[-1].removeprefix("ERROR:").strip() if errors else output.strip()[-200:]
    return (f"The packages could not be downloaded {place}: {last.rstrip('.')}.", "")


def _runs(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_POLL_S)
    except subprocess.TimeoutExpired:
        return True
    return False

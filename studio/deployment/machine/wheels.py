"""Wheels for a target with another processor and another Python, from a cache or a download."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from studio.api import Progress, TargetError, TargetFacts, Unavailable
from studio.lazy_dataclass import dataclass
from studio.registry import file_digest
from studio.runtime.backends.catalog import BACKENDS
from studio.runtime.shared.safe_zip import open_archive
from studio.settings import write_atomically
from studio.settings.interpreter import own_python

OLDEST_PYTHON = (3, 8)
_ARCHITECTURES = ("x86_64", "aarch64")
_OLDEST_GLIBC_MINOR = 17
_POLL_S = 0.2
_MODULES = {
    "numpy": "numpy",
    "opencv-python-headless": "cv2",
    "paho-mqtt": "paho.mqtt",
    "pillow": "PIL",
}
_NO_WHEEL = re.compile(r"No matching distribution found for ([\w-]+)")


@dataclass(frozen=True, slots=True)
class WheelPlatform:
    """The platform tags that a wheel must match.

    Attributes:
        arch: Processor, as in ``uname -m``.
        python: ``(3, 11)``.
        glibc: ``(2, 36)``.
    """

    arch: str
    python: tuple[int, int]
    glibc: tuple[int, int]

    @classmethod
    def of(cls, facts: TargetFacts, package: str = "onnxruntime") -> WheelPlatform:
        """Return the platform of a machine.

        Args:
            package: The one that serves the model there.

        Raises:
            TargetError: when the package has no wheels for such machines.
        """
        python, glibc = _version(facts.python), _version(facts.glibc)
        if python is None:
            raise no_python(facts.name)
        if python < OLDEST_PYTHON:
            raise TargetError(
                f"{facts.name} has Python {facts.python}; Python 3.8 or newer is required.",
                hint="Install a newer python3 on the target.",
            )
        if facts.arch not in _ARCHITECTURES:
            raise TargetError(
                f"{package} has no wheels for {facts.arch or 'an unknown processor'}, the "
                f"architecture of {facts.name}.",
                hint="Install a 64-bit system if the processor supports it."
                if facts.arch in ("armv7l", "armv6l", "i686")
                else f"Build {package} and install it for the target's python3.",
            )
        if glibc is None:
            raise TargetError(
                f"{facts.name} has no GNU C library, which the {package} wheels require.",
                hint=f"Install {package} for the target's python3.",
            )
        return cls(facts.arch, python, glibc)

    @property
    def tags(self) -> list[str]:
        """Return the platform tags that the machine supports, the best first."""
        major, minor = self.glibc
        numbers = range(minor, _OLDEST_GLIBC_MINOR - 1, -1)
        return [f"manylinux_{major}_{n}_{self.arch}" for n in numbers] + [
            f"manylinux2014_{self.arch}"
        ]

    @property
    def abi(self) -> str:
        """The tag of the interpreter, ``cp311``."""
        return "cp{}{}".format(*self.python)

    def __str__(self) -> str:
        python, glibc = ("{}.{}".format(*number) for number in (self.python, self.glibc))
        return f"Python {python} on {self.arch} (glibc {glibc})"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel file on this computer.

    Attributes:
        unpacked: Size after unpacking in bytes.
    """

    path: Path
    digest: str
    size: int
    unpacked: int

    @classmethod
    def of(cls, path: Path) -> Wheel:
        """Measure a wheel.

        Raises:
            Unavailable: when it is damaged.
        """
        try:
            with open_archive(str(path)) as archive:
                unpacked = sum(member.file_size for member in archive.infolist())
        except (OSError, zipfile.BadZipFile):
            raise Unavailable(
                f"The wheel {path.name} is damaged.", hint=f"Delete {path} and try again."
            ) from None
        return cls(path, file_digest(path), path.stat().st_size, unpacked)

    @property
    def name(self) -> str:
        """The file name of the wheel."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class WheelSet:
    """The wheels of an environment."""

    wheels: tuple[Wheel, ...]

    @property
    def digest(self) -> str:
        """Digest of the set, which names the environment on a target."""
        lines = sorted(f"{wheel.digest}  {wheel.name}\n" for wheel in self.wheels)
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @property
    def size(self) -> int:
        """Size of all wheels in bytes."""
        return sum(wheel.size for wheel in self.wheels)

    @property
    def unpacked(self) -> int:
        """Size on the target's disk in bytes."""
        return sum(wheel.unpacked for wheel in self.wheels)


def no_python(name: str) -> TargetError:
    """Return the error for a machine without an interpreter."""
    return TargetError(
        f"{name} has no python3.",
        hint="Install it on the target: apt install python3",
    )


def module_of(requirement: str) -> str:
    """Return the import name of a requirement; empty where it is not known."""
    modules = {one.distribution: one.module for one in BACKENDS.values()}
    return {**_MODULES, **modules}.get(requirement, "")


def lacking(facts: TargetFacts, requirements: Mapping[str, str]) -> list[str]:
    """Return the requirements that the target's interpreter lacks (``numpy>=1.19``)."""
    return [
        f"{name}{wanted}"
        for name, wanted in sorted(requirements.items())
        if not _fulfils(facts.runtimes.get(name, ""), wanted)
    ]


class WheelCache:
    """A cache of downloaded wheels, with the chosen set of each platform.

    So a repeated deploy installs nothing new, and a deploy works without a network.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(
        self, platform: WheelPlatform, requirements: Sequence[str], progress: Progress
    ) -> WheelSet:
        """Return the wheels for a platform.

        Raises:
            Unavailable: when they are not cached, and the download fails.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        index = self._index(platform, requirements)
        cached = self._cached(index)
        if cached is not None:
            return cached
        progress.progress(0, 0, f"Finding the runtime for {platform}")
        with tempfile.TemporaryDirectory(dir=self._folder) as aside:
            self._download(platform, requirements, Path(aside), progress)
            names = sorted(path.name for path in Path(aside).glob("*.whl"))
            for name in names:
                os.replace(Path(aside, name), self._folder / name)
        write_atomically(index, json.dumps(names).encode())
        return WheelSet(tuple(Wheel.of(self._folder / name) for name in names))

    def _index(self, platform: WheelPlatform, requirements: Sequence[str]) -> Path:
        asked = hashlib.sha256("\n".join(sorted(requirements)).encode()).hexdigest()[:12]
        glibc = "{}.{}".format(*platform.glibc)
        return self._folder / f"{platform.abi}-{platform.arch}-glibc{glibc}-{asked}.json"

    def _cached(self, index: Path) -> WheelSet | None:
        try:
            names = [str(name) for name in json.loads(index.read_bytes())]
        except (OSError, ValueError, TypeError):
            return None
        paths = [self._folder / name for name in names]
        if not all(path.is_file() for path in paths):
            return None
        return WheelSet(tuple(map(Wheel.of, paths)))

    def _download(
        self, platform: WheelPlatform, requirements: Sequence[str], folder: Path, progress: Progress
    ) -> None:
        online = self._pip(platform, requirements, folder, progress, [])
        if online is None:
            return
        # Without a network, wheels that the user copied into the cache are good enough.
        offline = ["--no-index", "--find-links", str(self._folder)]
        if self._pip(platform, requirements, folder, progress, offline) is None:
            return
        unknown = _NO_WHEEL.search(online)
        if unknown and self._is_in_index(unknown[1], progress):
            raise TargetError(
                f"{unknown[1]} has no wheels for {platform}.",
                hint=_instead(unknown[1]),
                detail=online[-4000:],
            )
        raise Unavailable(
            f"Missing wheels of {_names(requirements)} for {platform}, and the download failed.",
            hint=f"Connect to the network, or copy the wheels to {self._folder}.",
            detail=online[-4000:],
        )

    def _pip(
        self,
        platform: WheelPlatform,
        requirements: Sequence[str],
        folder: Path,
        progress: Progress,
        more: Sequence[str],
    ) -> str | None:
        """Run pip; return its error output, or None on success."""
        command = own_python("-m", "pip", "download", "--quiet", "--no-input")
        command += ["--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
        for tag in platform.tags:
            # No source distributions: they would be built for this computer, not for the target.
            command += ["--platform", tag]
        command += ["--python-version", "{}.{}".format(*platform.python)]
        command += [
            "--implementation",
            "cp",
            "--abi",
            platform.abi,
            "--abi",
            "abi3",
            "--abi",
            "none",
        ]
        command += ["--dest", str(folder), *more, *requirements]
        return _output(command, folder, progress)

    def _is_in_index(self, package: str, progress: Progress) -> bool:
        """Return whether an index can be reached, and has the package for this computer."""
        command = own_python("-m", "pip", "index", "versions", "--quiet", "--no-input")
        command += ["--disable-pip-version-check", package]
        return _output(command, self._folder, progress) is None


def _output(command: Sequence[str], folder: Path, progress: Progress) -> str | None:
    """Run pip; return its error output, or None on success."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, cwd=folder
        )
        try:
            while _runs(process):
                progress.check()
        except BaseException:
            process.kill()
            process.wait()
            raise
        errors.seek(0)
        text = errors.read().decode("utf-8", "replace")
    return None if process.returncode == 0 else text


def _runs(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_POLL_S)
    except subprocess.TimeoutExpired:
        return True
    return False


def _instead(package: str) -> str:
    """Return what would do on a target for which a package has no wheels."""
    backend = next((one for one in BACKENDS.values() if one.distribution == package), None)
    if backend is None or not backend.generates:
        return "Install a newer system on the target, or serve an ONNX model."
    others = [one.distribution for one in BACKENDS.values() if one.generates]
    named = " or ".join(one for one in others if one != package)
    return f"Convert the model for {named}, which have wheels for Arm, too."


def _names(requirements: Sequence[str]) -> str:
    return " and ".join(re.split(r"[<>=!~]", text)[0] for text in requirements)


def _version(text: str) -> tuple[int, int] | None:
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def _fulfils(version: str, wanted: str) -> bool:
    """Return whether a version satisfies ``>=1.17``, the only form that bundles use."""
    have, need = _version(version), _version(wanted.lstrip(">="))
    return have is not None and (need is None or have >= need)

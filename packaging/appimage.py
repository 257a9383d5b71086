"""The AppImage of the studio: ``packaging/appimage.py WHEEL``.

It carries Python and the libraries that Qt needs, and runs where glibc is at least as new as here.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import installed
from sbom import version

PYTHON = Path("/usr/bin/python3")
PROGRAMS = ("cc", "mksquashfs", "patchelf", "ldd")
_SOURCE = Path(__file__).with_name("appimage_runtime.c")
_LIBRARIES = ("-lsquashfuse", "-lzstd", "-lz", "-llzma")
_MAGIC = (8, b"AI\x02")  # what programs for AppImages look for
_UNUSED = {"site-packages", "dist-packages", "test", "idlelib", "tkinter", "turtledemo"}
_UNUSED |= {"ensurepip", "lib2to3", "__pycache__"}
# Of the C library, which cannot be mixed, and of the compiler, whose newest one must win.
_OF_THE_SYSTEM = ("libc.", "libm.", "libdl.", "libpthread.", "librt.", "libresolv.", "libutil.")
_OF_THE_SYSTEM += ("ld-linux", "libstdc++.", "libgcc_s.", "libanl.", "libnss_", "linux-vdso.")

_APPRUN = """\
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
export APPDIR="$here" PYTHONNOUSERSITE=1
unset PYTHONHOME PYTHONPATH
exec "$here/usr/bin/python" -P -c "{code}" "$@"
"""
_CODE = "import sys; from studio.cli.main import main; sys.exit(main())"


def main() -> int:
    """Write the AppImage into the folder of the wheel."""
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    if lacking or not PYTHON.exists():
        names = ", ".join(lacking) or str(PYTHON)
        print(f"No AppImage is made: {names} is missing.", file=sys.stderr)
        return 0
    print(build(Path(sys.argv[1]).absolute()))
    return 0


def build(wheel: Path) -> Path:
    """Write the AppImage beside the wheel; returns its path."""
    path = wheel.parent / f"Edgewright-{version()}-{platform.machine()}.AppImage"
    with tempfile.TemporaryDirectory(prefix="edgewright-appimage-") as name:
        root = Path(name) / "AppDir"
        _fill(root, wheel)
        image = Path(name) / "image"
        command = ["mksquashfs", str(root), str(image), "-comp", "zstd", "-noappend", "-quiet"]
        command += ["-no-progress", "-all-root", "-no-xattrs", "-all-time", "0", "-mkfs-time", "0"]
        subprocess.run(command, check=True)
        content = _runtime(Path(name) / "runtime") + image.read_bytes()
    path.write_bytes(content + hashlib.sha256(content).digest()[:16])
    path.chmod(0o755)
    return path


def _runtime(program: Path) -> bytes:
    """The program at the front of the file."""
    command = ["cc", "-O2", "-static", "-s", "-I/usr/include/squashfuse", "-o", str(program)]
    subprocess.run([*command, str(_SOURCE), *_LIBRARIES], check=True)
    content = bytearray(program.read_bytes())
    place, magic = _MAGIC
    content[place : place + len(magic)] = magic
    return bytes(content)


def _fill(root: Path, wheel: Path) -> None:
    usr = root / "usr"
    python = _copy_python(usr)
    (usr / installed.MARKER).write_text("AppImage\n")
    installed.install(python, _site(python), wheel)
    _add_libraries(root)
    installed.shared_files(python, usr / "share")
    _add_entry(root)
    _compile(python, usr / "lib", root)


def _compile(python: Path, folder: Path, root: Path) -> None:
    """Compile all modules, for good: unpacked files have another time than these."""
    command = [str(python), "-m", "compileall", "-q", "-j", "0", "-s", str(root)]
    command += ["--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run(command, check=False)


def _copy_python(usr: Path) -> Path:
    """Copy the interpreter and its library; returns the copy."""
    code = "import sys, sysconfig; print(sysconfig.get_path('stdlib')); print(sys.version_info[1])"
    library, minor = _ask(str(PYTHON), "-c", code).split()
    (usr / "bin").mkdir(parents=True)
    copy = usr / "bin" / f"python3.{minor}"
    shutil.copy2(PYTHON.resolve(), copy)
    for name in ("python", "python3"):
        (usr / "bin" / name).symlink_to(copy.name)
    shutil.copytree(
        library,
        usr / "lib" / f"python3.{minor}",
        ignore=lambda folder, names: [
            name
            for name in names
            if name in _UNUSED or name.startswith("config-") or not Path(folder, name).exists()
        ],
    )
    return usr / "bin" / "python"


def _site(python: Path) -> Path:
    """The folder in which the copy looks for packages."""
    code = "import site, sys; print([p for p in site.getsitepackages() if 'local' not in p][-1])"
    site = Path(_ask(str(python), "-I", "-c", code))
    site.mkdir(parents=True, exist_ok=True)
    return site


def _add_libraries(root: Path) -> None:
    """Copy the libraries that programs of the image take from the system, until none is missing."""
    folder = root / "usr" / "lib"
    waiting = list(_programs(root))
    while waiting:
        program = waiting.pop()
        needed = dict(_needed(program, root))
        for name, place in needed.items():
            if not (folder / name).exists():
                shutil.copy(place, folder / name)
                (folder / name).chmod(0o755)
                waiting.append(folder / name)
        if needed:
            way = os.path.relpath(folder, program.parent)
            words = ["patchelf", "--add-rpath", "$ORIGIN" if way == "." else f"$ORIGIN/{way}"]
            subprocess.run([*words, str(program)], check=True)


def _programs(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    yield path


def _needed(program: Path, root: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and place of each library of the system that a program itself needs."""
    own = subprocess.run(
        ["patchelf", "--print-needed", str(program)], capture_output=True, text=True, check=False
    )
    direct = own.stdout.split()
    listed = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False)
    for line in listed.stdout.splitlines():
        name, arrow, place = line.strip().partition(" => ")
        path = Path(place.partition(" (")[0])
        of_the_system = name.startswith(_OF_THE_SYSTEM) or path.is_relative_to(root)
        if arrow and name in direct and path.is_absolute() and not of_the_system:
            yield name, path


def _add_entry(root: Path) -> None:
    share = root / "usr" / "share"
    shutil.copy(share / "applications" / "edgewright.desktop", root / "edgewright.desktop")
    icon = share / "icons" / "hicolor" / "scalable" / "apps" / "edgewright.svg"
    shutil.copy(icon, root / "edgewright.svg")
    (root / ".DirIcon").symlink_to("edgewright.svg")
    (root / "AppRun").write_text(_APPRUN.format(code=_CODE))
    (root / "AppRun").chmod(0o755)


def _ask(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())

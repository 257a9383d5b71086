"""The Debian package of the studio: ``packaging/debian.py WHEEL``.

The package has an environment of its own below /usr/lib/edgewright, made for the python3 of the
Debian or Ubuntu release on which this runs; it is for that release and processor.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from email.utils import formatdate
from pathlib import Path

import installed
from sbom import version

HERE = "usr/lib/edgewright"
PYTHON = Path("/usr/bin/python3")
_MAINTAINER = "The authors of Edgewright <edgewright@example.invalid>"
_DESCRIPTION = """\
desktop studio for deploying AI models
 Edgewright takes a trained model to real hardware: it shows the graph,
 quantizes within a budget of accuracy, profiles, deploys to boards,
 containers and clouds, monitors, and rolls back. Every action of the window
 is also a command and a step of a pipeline. The recommended packages are for
 the window and the sandbox; a server does without them."""
_RECOMMENDS = ("bubblewrap", "openssh-client")

_SCRIPT = """\
#!/{here}/bin/python
import sys

from studio.cli.main import main

sys.exit(main())
"""
# Compiled on the machine, because users cannot write there, and without it each start compiles.
_POSTINST = """\
#!/bin/sh
set -e
if [ "$1" = configure ]; then
    /{here}/bin/python -I -m compileall -q -j 0 /{here}/lib || true
fi
"""
_PRERM = """\
#!/bin/sh
set -e
find /{here} -name __pycache__ -type d -prune -exec rm -rf {{}} +
"""
# What pip added later belongs to the package's environment, and goes with it.
_POSTRM = """\
#!/bin/sh
set -e
case "$1" in remove|purge) rm -rf /{here} ;; esac
"""
_OVERRIDES = """\
# The environment holds the wheels of Python libraries as their authors built them.
edgewright: embedded-library
edgewright: library-not-linked-against-libc
edgewright: unstripped-binary-or-object
edgewright: unusual-interpreter
"""
_COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Edgewright
Comment: The libraries in lib/ carry their own licences beside them.

Files: *
Copyright: 2026 The authors of Edgewright
License: Apache-2.0
 On Debian systems, the text of the licence is in /usr/share/common-licenses/Apache-2.0.
"""


def main() -> int:
    """Write the package into the folder of the wheel."""
    lacking = [name for name in ("dpkg-deb", "dpkg") if shutil.which(name) is None]
    if lacking or not PYTHON.exists():
        print("No Debian package is made: this is no Debian system.", file=sys.stderr)
        return 0
    print(build(Path(sys.argv[1]).absolute()))
    return 0


def build(wheel: Path) -> Path:
    """Write the package beside the wheel; returns its path."""
    architecture = _ask("dpkg", "--print-architecture")
    path = wheel.parent / f"edgewright_{version()}_{architecture}.deb"
    with tempfile.TemporaryDirectory(prefix="edgewright-deb-") as name:
        root = Path(name)
        root.chmod(0o755)
        python = _environment(root / HERE, wheel)
        installed.shared_files(python, root / "usr" / "share")
        _documents(root / "usr" / "share")
        _control(root, architecture)
        _normalize(root)
        command = ["dpkg-deb", "--root-owner-group", "-Zxz", "-z3", "--build", str(root), str(path)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return path


def _environment(folder: Path, wheel: Path) -> Path:
    """Make the environment; returns its interpreter, which works here as it will there."""
    real = PYTHON.resolve()
    minor = _ask(str(PYTHON), "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(real)
    (folder / "bin" / "python3").symlink_to("python")
    (folder / "pyvenv.cfg").write_text(
        f"home = {real.parent}\ninclude-system-site-packages = false\nversion = {minor}\n"
    )
    (folder / installed.MARKER).write_text("Debian package\n")
    site = folder / "lib" / f"python{minor}" / "site-packages"
    site.mkdir(parents=True)
    installed.install(folder / "bin" / "python", site, wheel)
    program = folder / "bin" / "studio"
    program.write_text(_SCRIPT.format(here=HERE))
    program.chmod(0o755)
    return folder / "bin" / "python"


def _documents(share: Path) -> None:
    (share.parent / "bin").mkdir()
    (share.parent / "bin" / "studio").symlink_to(f"../{HERE.removeprefix('usr/')}/bin/studio")
    documents = share / "doc" / "edgewright"
    documents.mkdir(parents=True)
    (documents / "copyright").write_text(_COPYRIGHT)
    change = f"edgewright ({version()}) unstable; urgency=medium\n\n  * Version {version()}.\n\n"
    change += f" -- {_MAINTAINER}  {formatdate(_when())}\n"
    (documents / "changelog.gz").write_bytes(gzip.compress(change.encode(), 9, mtime=0))
    overrides = share / "lintian" / "overrides" / "edgewright"
    overrides.parent.mkdir(parents=True)
    overrides.write_text(_OVERRIDES)


def _control(root: Path, architecture: str) -> None:
    code = "import sys; a, b = sys.version_info[:2]; print(f'{a}.{b} {a}.{b + 1}')"
    this, following = _ask(str(PYTHON), "-c", code).split()
    size = sum(path.lstat().st_size for path in root.rglob("*")) >> 10
    fields = {
        "Package": "edgewright",
        "Version": version(),
        "Architecture": architecture,
        "Maintainer": _MAINTAINER,
        "Installed-Size": str(size),
        "Depends": f"python3 (>= {this}), python3 (<< {following}), libc6, libstdc++6, zlib1g",
        "Recommends": ", ".join((*_window_packages(), *_RECOMMENDS)),
        "Suggests": "python3-venv, xdg-utils",
        "Section": "science",
        "Priority": "optional",
        "Description": _DESCRIPTION,
    }
    folder = root / "DEBIAN"
    folder.mkdir()
    text = "".join(f"{name}: {value}\n" for name, value in fields.items())
    (folder / "control").write_text(text)
    for name, script in (("postinst", _POSTINST), ("prerm", _PRERM), ("postrm", _POSTRM)):
        (folder / name).write_text(script.format(here=HERE))
        (folder / name).chmod(0o755)


def _window_packages() -> tuple[str, ...]:
    """The packages that Qt needs, by the names that every release knows."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from studio.settings.window_libraries import DEBIAN_PACKAGES

    return tuple(
        "libglib2.0-0 | libglib2.0-0t64" if name == "libglib2.0-0" else name
        for name in DEBIAN_PACKAGES
    )


def _normalize(root: Path) -> None:
    """Give files the modes of packages, and one time; equal contents then give equal bytes."""
    for folder in list(root.rglob("__pycache__")):
        shutil.rmtree(folder)
    python = root / HERE / "bin" / "python"
    there = os.path.relpath(os.readlink(python), f"/{HERE}/bin")  # absolute while it was used
    python.unlink()
    python.symlink_to(there)
    for path in sorted(root.rglob("*"), reverse=True):
        if not path.is_symlink():
            runs = path.is_dir() or path.parent.name in ("bin", "DEBIAN")
            path.chmod(0o755 if runs and path.name != "control" else 0o644)
        os.utime(path, (_when(), _when()), follow_symlinks=False)


def _when() -> int:
    return int(os.environ.get("SOURCE_DATE_EPOCH") or 1767225600)  # the beginning of 2026


def _ask(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())

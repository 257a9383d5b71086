"""The studio installed into a folder with its locked requirements."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from parts import RUN_TIME, Part, read_lock

MARKER = "edgewright-installation"
_BUILD = "edgewright (pyproject.toml:build)"

# Parts of Qt that only people who write programs with Qt start or read.
_QT_TOOLS = (
    "Qt/qml",
    "Qt/metatypes",
    "Qt/libexec",
    "doc",
    "glue",
    "include",
    "scripts",
    "typesystems",
    "QtAsyncio",
    *("assistant", "balsam", "balsamui", "designer", "linguist", "lrelease", "lupdate"),
    *("qmlformat", "qmllint", "qmlls", "qsb", "svgtoqml"),
)
_UNUSED = ("*/tests", "onnx/backend/test/data", "onnx/test", "mpl_toolkits/tests")


def install(python: Path, site: Path, wheel: Path) -> None:
    """Install the wheel and what it requires.

    Args:
        python: The interpreter for which the packages are chosen.
        site: The folder of the packages.
    """
    with tempfile.TemporaryDirectory(prefix="edgewright-lock-") as name:
        lock = Path(name) / "requirements.txt"
        lock.write_text(without_build(RUN_TIME), encoding="utf-8")
        _pip(python, site, "--require-hashes", "--requirement", str(lock))
    _pip(python, site, str(wheel))
    _trim(site)


def _pip(python: Path, site: Path, *words: str) -> None:
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    command += ["--no-input", "--disable-pip-version-check", "--no-deps", "--no-compile"]
    command += ["--root-user-action", "ignore"]
    command += ["--only-binary", ":all:", "--target", str(site), "--upgrade"]
    subprocess.run([*command, *words], check=True)


def without_build(lock: Path) -> str:
    """The lock without what only building the wheel needs."""
    dropped = _only_for_build(read_lock(lock))
    text, keeps = [], True
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line and not line[0].isspace():
            keeps = line.partition("==")[0] not in dropped
        text += [line] if keeps else []
    return "\n".join(text) + "\n"


def _only_for_build(parts: Sequence[Part]) -> set[str]:
    dropped: set[str] = set()
    for _ in parts:  # each round can add those that only the last round's needed
        found = {part.name for part in parts if set(part.via) <= {_BUILD, *dropped}}
        if found == dropped:
            break
        dropped = found
    return dropped


def _trim(site: Path) -> None:
    """Remove tools for authors, and tests of libraries."""
    found = [site / "PySide6" / name for name in _QT_TOOLS]
    found += [path for pattern in _UNUSED for path in site.glob(pattern)]
    found += [site / "bin", *site.rglob("*.pyi")]
    for path in found:
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()


def shared_files(python: Path, share: Path) -> None:
    """Write the menu entry, icon, file types, manual page and completion scripts.

    Args:
        python: An interpreter that has the studio.
        share: The folder ``/usr/share`` of the package.
    """
    code = (
        "import sys; from pathlib import Path\n"
        "from studio.settings.desktop_entry import DesktopFiles\n"
        "files = DesktopFiles(Path(sys.argv[1])).contents('studio')\n"
        "[(p.parent.mkdir(parents=True), p.write_text(t)) for p, t in files.items()]"
    )
    subprocess.run([str(python), "-c", code, str(share)], check=True)
    page = share / "man" / "man1" / "studio.1.gz"
    page.parent.mkdir(parents=True)
    page.write_bytes(gzip.compress(ask(python, "man"), 9, mtime=0))
    for shell, place in (
        ("bash", "bash-completion/completions/studio"),
        ("zsh", "zsh/vendor-completions/_studio"),
        ("fish", "fish/vendor_completions.d/studio.fish"),
    ):
        path = share / place
        path.parent.mkdir(parents=True)
        path.write_bytes(ask(python, "completion", shell))


def ask(python: Path, *words: str) -> bytes:
    """What a command of the installed studio prints."""
    code = "import sys; from studio.cli.main import main; sys.exit(main())"
    with tempfile.TemporaryDirectory(prefix="edgewright-home-") as home:
        done = subprocess.run(
            [str(python), "-B", "-c", code, *words],
            env={"PATH": "/usr/bin:/bin", "EDGEWRIGHT_HOME": home, "LC_ALL": "C.UTF-8"},
            capture_output=True, check=False,
        )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"studio {' '.join(words)}: {done.stderr.decode(errors='replace')}")
    return done.stdout

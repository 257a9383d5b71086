"""The studio from its wheels, its Debian package and its AppImage, in a bare Debian system."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from studio.settings.window_libraries import DEBIAN_PACKAGES
from tests.e2e.screen import Screen
from tests.integration.install import use
from tests.integration.install.conftest import MakeRoot, Packages
from tests.integration.install.root import PROGRAMS, BareRoot

pytestmark = [pytest.mark.rig, pytest.mark.needs(*PROGRAMS)]

PYTHON = ("python3", "python3-venv")
# What each desktop has. Qt's own needs are in the AppImage.
DESKTOP = ("fontconfig-config", "fonts-dejavu-core")


def install_uv(root: BareRoot) -> None:
    """Put uv into a system, as its installer does: one program."""
    root.put(Path(sys.executable).with_name("uv"), "/usr/local/bin/uv")


def test_the_wheel_by_uv(bare: MakeRoot, packages: Packages) -> None:
    root = bare("python3")  # whose venv module has no pip to copy
    install_uv(root)
    wheel = root.put(packages.wheel, f"/root/{packages.wheel.name}")
    root.ok("uv", "tool", "install", wheel)
    use.first_commands(root)
    assert "libEGL" in use.no_display(root) or "no display" in use.no_display(root)
    doctor = root.ok("studio", "doctor")
    assert "installation uv tool" in doctor
    assert "WRONG" not in doctor
    assert f"uv tool install --with 'boto3>=1.40' {wheel}" in doctor


def test_the_wheel_by_pipx(bare: MakeRoot, packages: Packages) -> None:
    root = bare(*PYTHON, "pipx")
    root.ok("pipx", "install", root.put(packages.wheel, f"/root/{packages.wheel.name}"))
    use.first_commands(root)
    doctor = root.ok("studio", "doctor")
    assert "installation pipx" in doctor
    assert "pipx inject edgewright 'boto3>=1.40'" in doctor
    root.ok("pipx", "inject", "edgewright", "paho-mqtt>=2.1")
    assert "studio_mqtt  available" in root.ok("studio", "doctor")


def test_the_wheel_without_a_window(bare: MakeRoot, packages: Packages) -> None:
    root = bare(*PYTHON)
    install_uv(root)
    root.ok("uv", "tool", "install", root.put(packages.headless, f"/root/{packages.headless.name}"))
    use.first_commands(root)
    said = use.no_display(root)
    assert said.startswith("studio: The window needs PySide6, which is not installed.")
    assert not list(root.folder.glob("root/.local/share/uv/tools/*/lib/*/site-packages/PySide6"))
    assert "optional  PySide6" in root.ok("studio", "doctor")


@pytest.mark.needs("Xvfb", "xdotool")
def test_a_library_that_the_window_lacks_is_one_sentence(
    bare: MakeRoot, packages: Packages, screen: Screen
) -> None:
    root = bare(*PYTHON)
    install_uv(root)
    root.ok("uv", "tool", "install", root.put(packages.wheel, f"/root/{packages.wheel.name}"))
    ended = root.run("studio", DISPLAY=screen.display)
    assert ended.returncode == 1
    assert ended.stderr.startswith("studio: The window needs lib")
    assert "sudo apt-get install libegl1" in ended.stderr


@pytest.mark.needs("Xvfb", "xdotool")
def test_the_debian_package(
    bare: MakeRoot, packages: Packages, screen: Screen, tmp_path: Path
) -> None:
    root = bare()
    package = root.put(packages.deb, f"/root/{packages.deb.name}")
    root.ok("apt-get", "update", "-qq")
    root.ok("apt-get", "install", "-y", "-qq", package, DEBIAN_FRONTEND="noninteractive")
    use.first_commands(root)
    use.window(root, screen, tmp_path / "window.png")
    doctor = root.ok("studio", "doctor")
    assert "installation Debian package" in doctor
    assert "ok        PySide6" in doctor
    assert (root.folder / "usr/share/applications/edgewright.desktop").is_file()
    root.ok("apt-get", "purge", "-y", "-qq", "edgewright")
    assert not (root.folder / "usr/lib/edgewright").exists()
    assert not (root.folder / "usr/bin/studio").is_symlink()


@pytest.mark.needs("lintian")
def test_lintian_finds_no_error_in_the_debian_package(packages: Packages) -> None:
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error", str(packages.deb)],
        capture_output=True, text=True, timeout=1200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_the_debian_package_recommends_what_the_window_needs(packages: Packages) -> None:
    fields = ["dpkg-deb", "--field", str(packages.deb), "Recommends"]
    said = subprocess.run(fields, capture_output=True, text=True, check=True).stdout
    assert all(name in said for name in DEBIAN_PACKAGES)


@pytest.mark.needs("Xvfb", "xdotool")
def test_the_appimage(bare: MakeRoot, packages: Packages, screen: Screen, tmp_path: Path) -> None:
    root = bare(*DESKTOP)
    assert shutil.which("python3", path=str(root.folder / "usr/bin")) is None
    studio = root.put(packages.appimage, "/root/Edgewright.AppImage")
    use.first_commands(root, studio)
    use.window(root, screen, tmp_path / "window.png", studio)
    doctor = root.ok(studio, "doctor")
    assert "installation AppImage" in doctor
    assert "install the wheel with uv or pipx" in doctor
    root.ok(studio, "desktop", "install")
    entry = root.folder / "root/.local/share/applications/edgewright.desktop"
    assert "Exec=/root/Edgewright.AppImage open %f" in entry.read_text()


def test_an_appimage_that_cannot_be_unpacked_is_one_sentence(
    bare: MakeRoot, packages: Packages
) -> None:
    root = bare(*DESKTOP)
    studio = root.put(packages.appimage, "/root/Edgewright.AppImage")
    (root.folder / "root/.cache").write_text("in the way")
    ended = root.run(studio, "--version")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith("Edgewright: /root/.cache/edgewright/appimage cannot be made")
    content = packages.appimage.read_bytes()
    damaged = root.folder / "root/damaged.AppImage"
    damaged.write_bytes(content[: len(content) // 2])
    damaged.chmod(0o755)
    ended = root.run("/root/damaged.AppImage", "--version", XDG_CACHE_HOME="/root/other")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "is damaged" in ended.stderr
    assert not list((root.folder / "root/other/edgewright/appimage").iterdir())

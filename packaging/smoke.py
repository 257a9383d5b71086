"""The smoke test of a wheel: installed alone, does it start, find its parts and open a model?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PARTS = (
    "studio/_resources/themes/dark.toml",
    "studio/_resources/samples/digits/digits.onnx",
    "studio/_resources/samples/traffic/detector/detector.onnx",
    "studio/_resources/samples/vibration/health/health.onnx",
)
LICENCE = ".dist-info/licenses/LICENSE"
SOURCES = ("LICENSE", "SECURITY.md", "requirements.lock", "docs/licences.md")


def main() -> int:
    """Unpack the wheel into an empty folder and ask its commands."""
    wheel = Path(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="edgewright-smoke-") as name:
        folder = Path(name)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / "site")
            names = archive.namelist()
        missing = [part for part in PARTS if part not in names]
        missing += [LICENCE] if not any(name.endswith(LICENCE) for name in names) else []
        missing += lacking(wheel.parent)
        if missing:
            print(f"The packages lack {', '.join(missing)}.", file=sys.stderr)
            return 1
        doctor = ask(folder, "doctor")
        version = ask(folder, "--version")
        plugins = json.loads(ask(folder, "plugins", "list", "--json"))["plugins"]
        found = [plugin["id"] for plugin in plugins if plugin["state"] == "available"]
        model = folder / "site" / PARTS[1]
        nodes = json.loads(ask(folder, "inspect", str(model), "--json"))["nodes"]
    print(f"{wheel.name}: {version.strip()}, {len(found)} plugins, digits has {nodes} nodes.")
    return 0 if found and nodes and doctor else 1


def lacking(folder: Path) -> list[str]:
    """What the source archive beside the wheel should have, and has not."""
    (path,) = folder.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    return [name for name in SOURCES if name not in names]


def ask(folder: Path, *words: str) -> str:
    """What a command of the unpacked wheel prints; the checkout is out of its sight."""
    code = "import sys; from studio.cli.main import main; sys.exit(main())"
    env = {
        **os.environ,
        "EDGEWRIGHT_HOME": str(folder / "home"),
        "PYTHONPATH": str(folder / "site"),
    }
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"studio {' '.join(words)}: {done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())

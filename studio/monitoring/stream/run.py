"""Frames sent to a deployed model in sequence, with answers reported as they arrive."""

from __future__ import annotations

import base64
import io
import time
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace

from studio.api import Cancelled, StudioError, TargetError
from studio.documents.dataclass_json import to_json
from studio.jobs import Job
from studio.monitoring.endpoint.call import percentiles
from studio.monitoring.endpoint.client import InferenceClient, ServedModel
from studio.monitoring.endpoint.endpoint import reached
from studio.monitoring.stream.context import ServedContext
from studio.monitoring.stream.frames import Picture, PreparedFrame, Source
from studio.monitoring.stream.pace import CapturedFrame, LatestFrames, in_turn
from studio.monitoring.stream.results import FrameAnswer, FrameReport, StreamResult
from studio.monitoring.stream.source import open_source
from studio.monitoring.stream.step import StreamOptions

_REPORT_EVERY_S = 0.1
_THUMBNAIL = 480
_SMALL = 64
_MOST_FAILURES_AT_FIRST = 20
_TIMEOUT_S = 10.0


@dataclass(slots=True)
class Tally:
    """Counters of the frames so far.

    Attributes:
        seconds: Times from capture to answer.
        failures: Number of failures by message.
    """

    began: float = field(default_factory=time.perf_counter)
    seconds: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    dropped: int = 0

    @property
    def sent(self) -> int:
        """Number of sent frames, answered or failed."""
        return len(self.seconds) + self.failures.total()

    def result(
        self, target: str, model: ServedModel, source: str, answer: FrameAnswer | None
    ) -> StreamResult:
        """Return the result of the step."""
        passed = time.perf_counter() - self.began
        return StreamResult(
            target=target,
            model=model.name,
            version=model.version,
            source=source,
            frames=self.sent + self.dropped,
            answered=len(self.seconds),
            dropped=self.dropped,
            failed=self.failures.total(),
            failures=dict(self.failures),
            seconds=passed,
            fps=len(self.seconds) / passed if passed > 0 else 0.0,
            latency_ms=percentiles(self.seconds),
            answer=answer,
        )


def stream(options: StreamOptions, job: Job) -> StreamResult:
    """Send the frames until the source ends or the user cancels, as a step's work.

    Cancelling is the usual end of a camera's stream, so the summary is the result nevertheless.

    Raises:
        TargetError: when there is no release, or no frame was answered.
        InvalidData: when the source cannot be read, or does not fit the model.
        Unavailable: when the source needs OpenCV, which is not installed.
    """
    target = options.target
    with ExitStack() as open_parts:
        endpoint = open_parts.enter_context(reached(target, job, options.known))
        client = open_parts.enter_context(closing(InferenceClient(endpoint, _TIMEOUT_S)))
        model = client.model()
        context = ServedContext.of(options, endpoint.report.digest)
        source = open_source(options.source, model.inputs, context.preprocess)
        run = StreamRun(client, model, context, job)
        tally = run.run(source, options)
    if not tally.seconds and tally.failures:
        raise TargetError(f"All frames failed: {next(iter(tally.failures))}")
    return tally.result(target.name, model, source.title, run.last)


class StreamRun:
    """A run of frames through a model that reports answers at a readable rate.

    Attributes:
        last: The newest answer.
    """

    def __init__(
        self, client: InferenceClient, model: ServedModel, context: ServedContext, job: Job
    ) -> None:
        self._client = client
        self._model = model
        self._context = context
        self._job = job
        self._reported_at = 0.0
        self._unreported: tuple[FrameReport, Picture | None] | None = None
        self.last: FrameAnswer | None = None

    def run(self, source: Source, options: StreamOptions) -> Tally:
        """Send frames until the end; return the counters."""
        frames, seconds = options.frames, options.seconds
        fps, again = options.fps or source.fps, bool(frames or seconds)
        tally = Tally()
        try:
            with ExitStack() as stack:
                if fps or source.is_live:
                    paced = LatestFrames(source, fps or 25.0, again=again, most=frames)
                    latest = stack.enter_context(paced)
                    turns = latest.frames(self._job.check)
                else:
                    latest, turns = None, in_turn(source, again=again)
                for captured in turns:
                    self._infer(captured, tally)
                    tally.dropped = latest.dropped if latest is not None else 0
                    self._report_progress(tally, frames, seconds)
                    if _is_enough(tally, frames, seconds):
                        break
            self._report_last()
        except Cancelled:
            pass
        return tally

    def _infer(self, captured: CapturedFrame, tally: Tally) -> None:
        try:
            shot = captured.frame.shoot()
            outputs = self._client.outputs(self._model.name, shot.feeds)
            answer = self._context.reader.read(outputs, shot)
        except StudioError as error:
            tally.failures[error.message] += 1
            if not tally.seconds and tally.failures.total() >= _MOST_FAILURES_AT_FIRST:
                raise
            return
        passed = time.perf_counter() - captured.at
        tally.seconds.append(passed)
        self.last = answer
        self._report(captured, shot, self.last, passed, tally)

    def _report(
        self,
        captured: CapturedFrame,
        shot: PreparedFrame,
        answer: FrameAnswer,
        passed: float,
        tally: Tally,
    ) -> None:
        report = FrameReport(
            number=tally.sent + tally.dropped,
            name=captured.frame.name,
            latency_ms=passed * 1000,
            answered=len(tally.seconds),
            dropped=tally.dropped,
            failed=tally.failures.total(),
            fps=len(tally.seconds) / max(time.perf_counter() - tally.began, 1e-6),
            answer=answer,
            request=self._client.request,
        )
        now = time.monotonic()
        if now - self._reported_at < _REPORT_EVERY_S:
            self._unreported = report, shot.picture
            return
        self._reported_at, self._unreported = now, None
        self._send(report, shot.picture)

    def _send(self, report: FrameReport, picture: Picture | None) -> None:
        if picture is not None:
            encoded, width, height = thumbnail(picture)
            report = replace(report, picture=encoded, width=width, height=height)
        self._job.event("frame", **to_json(report))

    def _report_last(self) -> None:
        """Report the last frame, as the window keeps showing it."""
        if self._unreported is not None:
            self._send(*self._unreported)

    def _report_progress(self, tally: Tally, frames: int, seconds: float) -> None:
        passed = time.perf_counter() - tally.began
        done, total = (passed, seconds) if seconds else (tally.sent + tally.dropped, frames)
        text = f"{len(tally.seconds)} answered, {tally.dropped} dropped"
        self._job.progress(min(done, total), total, text)


def _is_enough(tally: Tally, frames: int, seconds: float) -> bool:
    if frames and tally.sent + tally.dropped >= frames:
        return True
    return bool(seconds) and time.perf_counter() - tally.began >= seconds


def thumbnail(picture: Picture) -> tuple[str, int, int]:
    """Return a picture small enough for a message, in base64, and its real size."""
    import PIL.Image

    image = PIL.Image.fromarray(picture)
    width, height = image.size
    image.thumbnail((_THUMBNAIL, _THUMBNAIL))
    content = io.BytesIO()
    if max(width, height) <= _SMALL:  # JPEG would blur the few pixels
        image.save(content, "PNG")
    else:
        image.save(content, "JPEG", quality=80)
    encoded = base64.b64encode(content.getvalue()).decode("ascii")
    return encoded, width, height

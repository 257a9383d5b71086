"""Recordings that are composed when a sample is put together, with the events that are true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from studio.api import Progress, Unavailable
from studio.samples.machine import Machine, write_signal
from studio.samples.spoken_words import write_speech
from studio.samples.street.pictures import StreetCamera
from studio.samples.street.scene import FPS, HEIGHT, WIDTH, Street
from studio.samples.street.truth import events_of, street_with_one_answer
from studio.samples.true_events import write_events


def write_street(path: Path, seed: int, seconds: float, progress: Progress) -> None:
    """Write a film of the street, and its expected events.

    Raises:
        Unavailable: when OpenCV is not installed, or cannot write the film.
    """
    scene = street_with_one_answer(seed, seconds)
    write_film(path, scene, progress)
    write_events(_expected(path), events_of(scene))


def write_film(path: Path, scene: Street, progress: Progress) -> None:
    """Write all frames of a street as motion JPEG.

    Raises:
        Unavailable: when OpenCV is not installed, or cannot write the film.
    """
    try:
        import cv2
    except ImportError:
        raise Unavailable(
            "Composing the film needs OpenCV, which is not installed.",
            hint="Install the extra: edgewright[video].",
        ) from None
    camera, count = StreetCamera(scene), round(scene.seconds * FPS)
    form, size = cv2.VideoWriter.fourcc(*"MJPG"), (WIDTH, HEIGHT)
    film = cv2.VideoWriter(str(path), form, FPS, size)
    if not film.isOpened():
        raise Unavailable(f"OpenCV cannot write {path.name} here.")
    try:
        for number in range(count):
            progress.progress(number, count, f"Composing frame {number + 1} of {count}")
            film.write(cv2.cvtColor(camera.picture(number / FPS), cv2.COLOR_RGB2BGR))
    finally:
        film.release()


def write_bearing(path: Path, seed: int, seconds: float, progress: Progress) -> None:
    """Write the vibration of a machine as CSV, and its expected events."""
    machine = Machine(seed, seconds)
    write_signal(path, machine, progress)
    write_events(_expected(path), machine.events())


def _expected(path: Path) -> Path:
    return path.with_name("expected.jsonl")


WRITERS: Mapping[str, Callable[[Path, int, float, Progress], None]] = {
    "street": write_street,
    "bearing": write_bearing,
    "speech": write_speech,
}
"""Functions that write a recording and its expected events, by the kind in the catalogue."""

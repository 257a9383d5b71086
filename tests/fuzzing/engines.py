"""Two ways to choose inputs: atheris, guided by coverage, and plain mutation where it has none."""

from __future__ import annotations

import importlib.util
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fuzzing.target import Target, mutant

Run = Callable[[bytes], None]

INSTRUMENTED = ["studio", "studio_onnx", "studio_tflite", "studio_openvino", "tomllib", "zipfile"]
_OWN_SHARE = 0.7
"""Of the mutants are made by the target; atheris makes the others."""


def find_atheris() -> bool:
    """Whether atheris can be imported; ``make fuzz`` puts it into build/ where it has a wheel."""
    places = sorted(Path("build").glob("atheris-*"))
    sys.path += [str(place.resolve()) for place in places if str(place.resolve()) not in sys.path]
    return importlib.util.find_spec("atheris") is not None


@contextmanager
def instrumented(guided: bool) -> Iterator[None]:
    """What is imported meanwhile tells atheris which of its branches are taken."""
    if not guided:
        yield
        return
    import atheris

    with atheris.instrument_imports(include=INSTRUMENTED, enable_loader_override=False):
        yield


def plain(target: Target, run: Run, *, seconds: float, cases: int, seed: int) -> None:
    """Mutants of the seeds, until the time or the number is over."""
    rng = random.Random(seed)
    seeds = target.start()
    for data in seeds if not seed else ():
        run(data)
    shares = [(1000 + len(data)) ** -0.5 for data in seeds]  # what is small is quick
    ends, left = time.monotonic() + seconds, cases
    while time.monotonic() < ends and (left or not cases):
        (data,) = rng.choices(seeds, shares)
        run(mutant(target, data, rng))
        left -= 1


def guided(
    target: Target, run: Run, *, seconds: float, cases: int, seed: int, corpus: Path
) -> None:
    """libFuzzer over atheris, from the seeds and what ``corpus`` has; ends the process."""
    import atheris

    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(target.start()):
        (corpus / f"seed-{number}").write_bytes(data)

    def mutate(data: bytes, most: int, number: int) -> bytes:
        rng = random.Random(number)
        if rng.random() < _OWN_SHARE:
            return mutant(target, data, rng)[:most]
        return bytes(atheris.Mutate(data, most))

    words = [
        sys.argv[0],
        f"-max_total_time={max(1, int(seconds))}",
        f"-runs={cases or -1}",
        f"-seed={seed + 1}",
        f"-max_len={target.largest}",
        "-timeout=86400",  # the process that watches has a limit of its own, which knows the load
        "-rss_limit_mb=0",
        "-len_control=0",
        "-print_final_stats=1",
        f"-artifact_prefix={corpus}{os.sep}",
        str(corpus),
    ]
    atheris.Setup(words, run, custom_mutator=mutate)
    atheris.Fuzz()

"""What the command line prints, with what differs from run to run replaced by its type."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VOLATILE = frozenset(
    """
    at created started ended until uptime_s seconds switch_seconds cpu_seconds
    latency_ms latency_ratio latency_interval early_stopping_ms baseline_ms p50_ms p90_ms p99_ms
    float_us int8_us gain_us low high peak_memory_mb best per_second throughput fps
    port pid process rollout head hash previous key signature
    bytes_sent bytes_to_send bytes_total freed stolen
    disk_free_mb disk_total_mb memory_free_mb series
    """.split()  # noqa: SIM905  # a word list reads and diffs better
)
"""Keys whose values are times, measured figures or numbers that the system gave."""

MACHINE = frozenset(
    """
    environment board accelerators services by owner machine tools memory_mb cpu_percent advice
    """.split()  # noqa: SIM905
)
"""Keys that tell of the computer: even the type of what they hold is another one elsewhere."""

NOISE = frozenset({"spoiled", "spoiled_reasons", "spoiled_kept", "rounds_needed", "fastest"})
"""Keys whose values follow from what else ran on the computer while it measured."""

PROGRAM = "the studio's runtime"
"""Name of the program among the files that a deploy sends."""

CHECKOUT = Path(__file__).parents[2]
SCRUBBED = (
    (re.compile(re.escape(str(Path(sys.executable).parent)) + r"\b"), "<bin>"),
    (re.compile(re.escape(str(CHECKOUT)) + r"\b"), "<checkout>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:[\d.]+)?([+-]\d\d:\d\d| UTC)?"), "<time>"),
    (re.compile(r"\b\d\d? [A-Z][a-z]{2} \d\d:\d\d\b"), "<time>"),
    (re.compile(r"\b(\w+)-\d{8}-\d{6}-[0-9a-f]{4}\b"), r"\1-<run>"),
    (re.compile(r"\b\d{8}-\d{6}-[0-9a-f]{8}\b"), "<rollout>"),
    (re.compile(r"\b\d{8}-\d{6}-\d{6}-(\w+)-[0-9a-f]{12}\b"), r"<copy>-\1"),
    (re.compile(r"127\.0\.0\.1:[1-9]\d{3,}"), "127.0.0.1:<port>"),
    (re.compile(r"\bport \d+"), "port <port>"),
    (re.compile(r"[A-Z][\w/ ]+ [\d.]+ \(\w+\), (x86_64|aarch64)\b"), "<system>"),
    (re.compile(r"/[0-9a-f]{12,64}(\.\.\.)?\.pyz\b"), "/<runtime>.pyz"),
    (re.compile(r"^\d+\.\d+\.\d+$"), "<version>"),
    (re.compile(r'"(pid|bytes)": \d+'), r'"\1": <number>'),
    (re.compile(r'": \d+\.\d+'), '": <number>'),
    (re.compile(r"\b[\d.,]*\d (ms|kB|MB)\b"), r"<number> \1"),
    (re.compile(r"\b(Python|onnxruntime|ONNX Runtime) \d+\.[\d.]*\d"), r"\1 <version>"),
)
"""Parts of texts that differ from run to run, and what stands for them."""


@dataclass(frozen=True)
class Normaliser:
    """Takes out of documents what is not the same in each run.

    Attributes:
        home: The folder whose name differs from run to run.
        loose: Keys whose values are not told at all, besides those of the machine and its noise.
        shape: Whether only keys and types are told.
        once: Whether equal values of a list are told once, in the order of their texts: several
            processes write a log, and the first to come is not always the same.
        sampled: Part of the texts that a list is told without: a log has one request a second at
            most, and which one depends on the speed of the machine.
    """

    home: Path
    loose: Collection[str] = ()
    shape: bool = False
    once: bool = False
    sampled: str = ""

    def __call__(self, document: Any) -> Any:
        """A document with what is volatile replaced; the order of its keys stays.

        A step of a deploy also tells how much it sent, of which the program itself is a part. The
        program has another size after each change of it.
        """
        if isinstance(document, dict):
            is_sent = {"text", "bytes"} <= document.keys() or document.get("name") == PROGRAM
            sent = {"bytes"} if is_sent else set()
            return {
                self._text(key): self._value(key, value, VOLATILE | sent)
                for key, value in document.items()
            }
        if isinstance(document, list):
            values = [self(value) for value in document if not self._is_sampled(value)]
            if self.once:
                return sorted(_once(values), key=str)
            return _once(values) if self.shape else values
        if self.shape:
            return _type(document)
        return self._text(document) if isinstance(document, str) else document

    def _is_sampled(self, value: object) -> bool:
        return bool(self.sampled) and isinstance(value, str) and self.sampled in value

    def _value(self, key: str, value: Any, volatile: Collection[str]) -> Any:
        if key in NOISE or key in self.loose:
            return "<differs>"
        if key in MACHINE:
            return _keys(value)
        if key in volatile:
            return Normaliser(self.home, self.loose, shape=True)(value)
        return self(value)

    def _text(self, text: str) -> str:
        text = text.replace(str(self.home), "<home>")
        for pattern, instead in SCRUBBED:
            text = pattern.sub(instead, text)
        return text


def golden_text(observed: Any) -> str:
    """How a golden file holds it."""
    return json.dumps(observed, indent=1, ensure_ascii=False) + "\n"


def _keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _keys(one) for key, one in value.items()}
    return "<differs>"


def _type(value: Any) -> str:
    return "<null>" if value is None else f"<{type(value).__name__}>"


def _once(values: list[Any]) -> list[Any]:
    """Equal ones are told once: how many there are may be a measurement, too."""
    return [value for n, value in enumerate(values) if value not in values[:n]]

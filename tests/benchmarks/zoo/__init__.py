"""Real models with data of their own, for the benches of quantization; nothing is committed.

Models come out of Python wheels that carry them, each with a digest that is checked. Data are
rendered, read from this system, or come with another wheel.
"""

from tests.benchmarks.zoo.entries import ENTRIES, Entry, entry

__all__ = ["ENTRIES", "Entry", "entry"]

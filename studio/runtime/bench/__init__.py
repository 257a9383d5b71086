"""The bench: one harness for a local process, a board over SSH and a container.

``python -m studio.runtime bench`` reads one line of JSON on standard input (see
``config.Config``) and writes JSON lines on standard output. Every candidate (a model on a
backend) runs in a process of its own. Outputs are compared with the reference's before anything
is timed. Rounds are interleaved and balanced, with the reference twice (the A/A twin). The mode of
the configuration is ``latency``, ``throughput``, ``open-loop`` or ``sustained``. Language models
have the mode ``tokens``: their candidates name a backend of ``runtime.generate`` and no runner.

Each event is an object with its name under the key ``event``; ``events.EVENTS`` lists their forms.

Exit status: 0 measured, 1 error, 2 bad configuration, 130 cancelled.

**The runner contract.** A backend is one self-contained Python 3.8 file that needs numpy and its
runtime alone. It is loaded by its path, inside the candidate's process, and defines
``load(path, options)``, which returns an object with the methods below. In addition to the
options of the backend it gets ``shapes``, the sizes of the inputs by name: the given ones, or all
once the reference has loaded. A runtime that must fix sizes to convert a model takes them from it.

``inputs()``
    ``[{"name": str, "dtype": numpy's name, "shape": [int | str | None, ...]}, ...]``
``run(feeds)``
    the outputs by name, from arrays by input name.
``bind(feeds)`` (optional)
    a function without arguments that runs once with these feeds. This is what is timed, so it
    holds nothing but the runtime's own call; without ``bind``, ``run(feeds)`` is timed.
``streams(feeds, count)`` (optional)
    ``count`` functions that may be called from as many threads at once. Without it, each stream
    gets a model of its own, loaded again.
``describe()``
    ``{"runtime", "version", "device", "providers", "precision", "threads"}``, as in force.
``operators(feeds, runs)``
    ``[{"name", "operator", "provider", "type", "us", "calls"}, ...]``, per inference; an empty
    list where the runtime has none. A kernel may have ``inputs`` and ``outputs``, the names of
    the values that it takes and makes: they lead back to the user's nodes, however kernels are
    called. A dictionary with the list as ``operators`` may contain more (see the event).
``close()``
    free the model.

An exception's message becomes the reason of the state "cannot load" or "cannot run".
"""

from __future__ import annotations


def main(argv: list[str]) -> int:
    """Run the bench; ``argv`` holds nothing, the configuration comes on standard input."""
    from .command import run

    return run(argv)

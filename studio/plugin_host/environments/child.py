"""The program inside an environment: it loads one tool, runs one request, reports progress.

It is started by its path with the environment's own Python, so it needs nothing but that: one
line of JSON on standard input, one JSON event a line on the standard output that it was given.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
import threading
import traceback
from textwrap import shorten


def _redirect_stdout() -> int:
    """Keep the given standard output for events; whatever else prints goes to standard error."""
    events = os.dup(1)
    os.dup2(2, 1)
    return events


def _watch_parent() -> None:
    """End this process at the end of standard input: the parent no longer waits."""
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Do the request that the first line of standard input holds."""
    events = _redirect_stdout()

    def emit(event: str, **values: object) -> None:
        os.write(events, json.dumps(dict(values, event=event)).encode() + b"\n")

    def progress(done: float, total: float, text: str = "") -> None:
        emit("progress", done=float(done), total=float(total), text=str(text))

    line = b""
    while not line.endswith(b"\n"):
        line += os.read(0, 1)
    request = json.loads(line)
    threading.Thread(target=_watch_parent, daemon=True).start()
    try:
        spec = importlib.util.spec_from_file_location("edgewright_tool", sys.argv[1])
        module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
        spec.loader.exec_module(module)  # type: ignore[union-attr]
        emit("result", result=module.run(request, progress))
    except MemoryError:
        emit("error", text="It needs more memory than it may have.", detail="")
    except BaseException as error:
        text = shorten(str(error), 600, placeholder=" ...") or "no reason given"
        emit("error", text=text, detail=traceback.format_exc()[-4000:])
    sys.stderr.flush()
    os._exit(0)  # native libraries may hang in their destructors


if __name__ == "__main__":
    main()

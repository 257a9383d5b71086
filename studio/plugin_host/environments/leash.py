"""The program between a job and an installer: at the end of standard input it ends both.

pip installs into another environment in a process of its own, which would outlive a studio that
is killed, and write on. It is started by its path, with the command behind it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def _watch(process: subprocess.Popen[bytes]) -> None:
    while os.read(0, 4096):
        pass
    os.killpg(process.pid, signal.SIGKILL)
    os._exit(1)


def main() -> None:
    """Run the command in a session of its own; its status is this program's."""
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=_watch, args=(process,), daemon=True).start()
    os._exit(min(abs(process.wait()), 255))


if __name__ == "__main__":
    main()

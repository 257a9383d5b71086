"""An actor of a node that was taken over: its first answer is a pickle that runs code."""

from __future__ import annotations

from pathlib import Path

SECRET, MARK = "secret", "mark"
"""Files of the home: one that the code reads, and one that it writes."""

_CODE = """
import os

def attempt(path, flags):
    try:
        os.close(os.open(path, flags, 0o600))
    except OSError as error:
        return error.__class__.__name__
    return "done"

home = {home!r}
report = "pickle ran"
report += ", read " + attempt(os.path.join(home, {secret!r}), os.O_RDONLY)
report += ", write " + attempt(os.path.join(home, {mark!r}), os.O_WRONLY | os.O_CREAT)
"""

_ACTOR = """
CODE = {code!r}

class Payload:
    __module__ = "__main__"  # so that the class travels by value

    def __init__(self, hops):
        self.hops = hops

    def __reduce__(self):
        if self.hops:
            return Payload, (self.hops - 1,)
        return eval, ("[names := {{}}, exec(" + repr(CODE) + ", names)][0]['report']",)

class TaskActor:
    def __init__(self):
        pass

    def append(self, digest, part):
        pass

    def start(self, document, node):
        return Payload(1)  # the head unpickles it and pickles the result

    def look(self, begin):
        return b"", True, "the node ended it"

    def output(self, begin, length):
        return b""

    def cancel(self):
        pass

    def remove(self):
        pass

    def _last_words(self):
        pass
"""


def place(folder: Path, home: Path) -> Path:
    """Write the module that shadows the plugin's own on a node, and the secret in a home.

    Returns the folder for the node's ``PYTHONPATH``.
    """
    home.mkdir(exist_ok=True)
    (home / SECRET).write_text("only for the user\n")
    package = folder / "studio_ray"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    code = _CODE.format(home=str(home), secret=SECRET, mark=MARK)
    (package / "actor.py").write_text(_ACTOR.format(code=code))
    return folder

"""The entry of the ``studio`` command: finds the command's module and calls it."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before anything can import onnxruntime

import studio
from studio.api import StudioError
from studio.cli.flags import add_former_command, common_flags, note_former_words
from studio.cli.output import fail, plain_output, tell
from studio.settings import SAFE_VARIABLE
from studio.settings.interpreter import search_no_current_folder

COMMANDS = {
    "open": "open the window, with a model if one is named",
    "inspect": "look at a model: what is in it, and is it safe to open",
    "graph": "draw a model's graph into a file",
    "diff": "compare the graphs of two models",
    "coverage": "will a model run on a release of the runtime, or on a target",
    "edit": "rename, cut, fix sizes, fold constants, convert, each step checked",
    "quantize": "make a model smaller and measure what that costs",
    "sensitivity": "measure what each layer costs when it alone is quantized",
    "presets": "list or show quantization presets",
    "evaluate": "measure a model's quality on labelled data",
    "profile": "measure latency, with verdicts that can be trusted",
    "profiles": "list, compare or export the profiles that were made",
    "package": "make a bundle that can be deployed",
    "sign": "sign a bundle with an SSH key",
    "trust": "say whose releases a target takes",
    "target": "add, list, probe or remove places to deploy to",
    "deploy": "deploy a model or bundle to a target",
    "rollout": "release on several targets, in waves, judged by one rule",
    "registry": "back up and check the registry; push, pull and follow versions of others",
    "releases": "list what was released on a target",
    "verify-log": "check that a target's history was not altered",
    "rollback": "take a target back to an earlier release",
    "promote": "give all requests to the release that is a canary",
    "start": "start the server of what a target serves",
    "stop": "stop the server of what a target serves; the release stays",
    "restart": "stop the server of what a target serves, and start it again",
    "undeploy": "stop serving on a target and remove its releases",
    "call": "send requests to what a target serves",
    "logs": "show what a target's server logged",
    "stream": "send pictures, a video or a camera to what a target serves",
    "monitor": "see how what a target serves is doing",
    "serve": "serve a model on this computer",
    "run": "run a recipe; list, resume and compare runs",
    "versions": "list versions, their lineage and aliases; promote, roll back, export, import",
    "samples": "list or get models and data to begin with",
    "plugins": "list the plugins and what they offer",
    "backends": "list the runtimes that can execute models",
    "doctor": "check this installation",
}

FORMER = {"recipes": "presets"}
"""Former names of commands, hidden."""

EXIT_CODES = """exit codes: 0 done; 1 failed; 2 wrong usage; 3 a gate was not met;
4 refused for safety; 130 cancelled"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    search_no_current_folder(os.environ)
    words = list(sys.argv[1:] if argv is None else argv)
    safe = words[:1] in (["--safe"], ["--no-plugins"])
    if safe:
        del words[0]
    if not words:
        words.insert(0, "open")
    with plain_output():
        arguments = _parser(words).parse_args(words)
        note_former_words(words)
        if safe or arguments.no_plugins:
            os.environ[SAFE_VARIABLE] = "1"  # workers are to know it as well
        return _done(arguments)


def _done(arguments: argparse.Namespace) -> int:
    """Do what was asked for; returns the exit code."""
    try:
        module = importlib.import_module(_module(arguments.command))
        code: int = module.run(arguments)
        return code
    except StudioError as error:
        return fail(error, as_json=arguments.json, debug=arguments.debug)
    except KeyboardInterrupt:
        tell("studio: Cancelled.")
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if arguments.debug:
            traceback.print_exc()
        text = f"{type(error).__name__}: {error}".rstrip(".")
        return fail(
            StudioError(f"{text}.", hint="This is a defect; --debug shows where."),
            as_json=arguments.json,
        )


def _module(command: str) -> str:
    return f"studio.cli.{command.replace('-', '_')}_command"


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser; only the asked command's module is loaded to describe itself."""
    parser = argparse.ArgumentParser(
        prog="studio",
        description="Edgewright: see, shrink, profile, deploy and watch AI models.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"Edgewright {studio.__version__}")
    common = common_flags()
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    asked = next((word for word in words if not word.startswith("-")), "")
    asked = FORMER.get(asked, asked)
    for name, text in COMMANDS.items():
        command = commands.add_parser(
            name, help=text, description=text[0].upper() + text[1:] + ".", parents=[common]
        )
        if name == asked:
            importlib.import_module(_module(name)).add(command)
    for former, name in FORMER.items():
        add_former_command(commands, former, name, commands.choices[name])
    return parser


if __name__ == "__main__":
    sys.exit(main())

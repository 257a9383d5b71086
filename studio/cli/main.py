"""The entry of the ``studio`` command: finds the command's module and calls it."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import logging
import os
import sys
import traceback
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import takewhile
from types import ModuleType

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before anything can import onnxruntime

import studio
from studio import feature_host
from studio.api import Cancelled, StudioError, UsageError
from studio.cli.flags import common_flags
from studio.cli.output import fail, plain_output, print_note
from studio.cli.parser import CommandParser
from studio.settings import SAFE_VARIABLE, Paths, Settings
from studio.settings.interpreter import search_no_current_folder
from studio.settings.logging import recording

log = logging.getLogger(__name__)

_COLLECTORS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""Variables that name a collector of OpenTelemetry."""

COMMANDS = {
    "open": "open the window, optionally with a model",
    "inspect": "check a model file and print its summary",
    "graph": "export the graph of a model as SVG, PNG or HTML",
    "diff": "compare the graphs of two models",
    "analyze": "compute per-node metrics with an analyzer",
    "coverage": "check compatibility with a runtime release, target or board",
    "convert": "convert a model of another framework to ONNX, or ONNX to another format (--to)",
    "export": "convert an ONNX model to TFLite, OpenVINO IR, Core ML or ExecuTorch",
    "check": "check what an accelerator will do with a model",
    "chips": "list the chips that models can be checked for",
    "edit": "edit a model: rename, extract, prune, fold constants, convert the opset",
    "project": "show or set the project of a model: task, data, labels, preprocessing",
    "quantize": "quantize a model and measure the metric drop",
    "sensitivity": "measure the sensitivity of each layer",
    "presets": "list or show quantization presets",
    "evaluate": "evaluate a model on labelled data",
    "profile": "benchmark latency or throughput and compare variants",
    "study": "benchmark variants on many boards, with one table of verdicts",
    "profiles": "list, compare or export saved profiles",
    "package": "build a deployable bundle, image or Debian package",
    "sign": "sign a bundle with an SSH key",
    "trust": "show or set the allowed signers of a target",
    "target": "manage deployment targets",
    "deploy": "deploy a model or bundle to a target",
    "rollout": "roll out a release to several targets in waves",
    "registry": "push, pull and follow versions in a model registry; back up the local one",
    "releases": "list the releases of a target",
    "verify-log": "verify the release history of a target",
    "decisions": "list, export, verify and forget the recorded decisions of a target",
    "rollback": "roll back to a previous release",
    "promote": "promote the canary to all traffic",
    "start": "start the server of a target's release",
    "stop": "stop the server of a target's release and keep its files",
    "restart": "restart the server of a target's release",
    "undeploy": "stop the release on a target; --purge also deletes its files",
    "call": "send test requests to an endpoint",
    "logs": "show the server log of a target",
    "stream": "stream images, video or a camera to an endpoint",
    "monitor": "show health, latency, errors and drift of an endpoint",
    "fleet": "show and watch the state of many boards from a broker",
    "serve": "serve a model on this computer",
    "plan": "list, show and approve plans of changes",
    "events": "list or send the events that wait for their webhooks (CloudEvents)",
    "openapi": "print the OpenAPI description of a server's HTTP interface",
    "run": "run a pipeline; list, resume and compare runs",
    "versions": "list versions, their lineage and aliases; promote, roll back, export, import",
    "samples": "list or download sample models and data",
    "plugins": "manage plugins",
    "backends": "manage runtimes and toolchains",
    "doctor": "check this installation",
    "desktop": "add the studio to the desktop menu, with icon and file types",
    "completion": "print a shell completion script",
    "man": "print the manual page",
}

EXIT_CODES = """exit codes: 0 success; 1 failed; 2 usage error; 3 a gate failed;
4 refused for safety; 130 cancelled"""


_LEADING = {
    "--safe": "--no-plugins",
    **{flag: flag for flag in ("--no-plugins", "--debug", "-v", "--verbose")},
}
"""Flags that may stand before the command, as it knows them."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    search_no_current_folder(os.environ)
    words = list(sys.argv[1:] if argv is None else argv)
    leading = list(takewhile(_LEADING.__contains__, words))
    words = words[len(leading) :] or ["open"]
    words[1:1] = [_LEADING[flag] for flag in leading]
    with plain_output():
        try:
            words = _as_run(words)
            arguments = _parser(words).parse_words(words)
        except StudioError as error:
            return fail(error, as_json="--json" in words)
        if arguments.no_plugins:
            os.environ[SAFE_VARIABLE] = "1"  # workers are to know it as well
        with _recording(arguments):
            return _run(arguments)


def _as_run(words: list[str]) -> list[str]:
    """Return the command as it is run.

    ``convert --to`` another format than ONNX is ``export``, ``profile`` on several targets is
    ``study``, and ``help COMMAND`` is ``COMMAND --help``. A feature's command may have a verb
    that is meant where none is given.
    """
    if words[0] == "help":
        return [*words[1:], "--help"]
    if words[0] == "profile":
        return ["study" if _names_boards(words[1:]) else "profile", *words[1:]]
    if words[0] not in COMMANDS:
        return _with_verb(words)
    if words[0] != "convert":
        return words
    given = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    given.add_argument("--to", nargs="?")
    to = given.parse_known_args(words[1:])[0].to
    return words if to in (None, "onnx") else ["export", *words[1:]]


def _with_verb(words: list[str]) -> list[str]:
    """Return the command of a feature with the verb that is meant where none is given."""
    own = getattr(feature_host.command_module(words[0]), "with_verb", None)
    return words if own is None else [words[0], *own(words[1:])]


def _names_boards(words: Sequence[str]) -> bool:
    """Whether flags name several targets, or a group of them."""
    given = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    given.add_argument("--target", nargs="?", action="append", default=[])
    targets = [one for one in given.parse_known_args(words)[0].target if one]
    return len(targets) > 1 or any(one.startswith("@") for one in targets)


def _recording(arguments: argparse.Namespace) -> AbstractContextManager[None]:
    """Return the logging of this process, at the level of the flags and the settings."""
    paths = Paths.of()
    loud = arguments.verbose or arguments.debug or Settings(paths.settings)["log_level"] == "debug"
    terminal = logging.INFO if arguments.verbose else 0
    return recording(
        paths,
        logging.DEBUG if loud else logging.INFO,
        logging.DEBUG if arguments.debug else terminal,
        lambda: _step_traces(arguments.command),
    )


def _step_traces(command: str) -> list[logging.Handler]:
    if not any(name in os.environ for name in _COLLECTORS):
        return []
    from studio.monitoring.step_traces import step_traces

    return step_traces(os.environ, command)


def _run(arguments: argparse.Namespace) -> int:
    """Run the command and return the exit code."""
    log.debug("command started", extra={"command": arguments.command})
    try:
        return _run_command(arguments)
    except StudioError as error:
        _log_failure(arguments, error)
        return fail(error, as_json=arguments.json, debug=arguments.debug)
    except KeyboardInterrupt:
        print_note("studio: Cancelled.")
        return 130
    except BrokenPipeError:
        # The reader of the output has closed the pipe, so no message can reach it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        _log_failure(arguments, error)
        if arguments.debug:
            traceback.print_exc()
        if damage := feature_host.missing_file(error):
            return fail(damage, as_json=arguments.json)
        from studio.documents.defects import DEFECT, unforeseen

        return fail(StudioError(unforeseen(error), hint=DEFECT), as_json=arguments.json)


def _run_command(arguments: argparse.Namespace) -> int:
    """Run the command; a folder with several models is replaced by the one that the user names."""
    command = _module(arguments.command)
    try:
        code: int = command.run(arguments)
    except UsageError as error:
        if not isinstance(getattr(arguments, "model", None), str):
            raise
        from studio.cli.model_choice import ask_model

        arguments.model = ask_model(error, arguments)
        code = command.run(arguments)
    return code


def _log_failure(arguments: argparse.Namespace, error: Exception) -> None:
    if not isinstance(error, Cancelled):
        keys = {"command": arguments.command, "error": type(error).__name__}
        log.error("command failed: %s", error, exc_info=error, extra=keys)


def commands() -> dict[str, str]:
    """Return what each command does, those of features last."""
    return {**COMMANDS, **dict(_step_commands()), **feature_host.commands()}


def commands_of(feature: str) -> frozenset[str]:
    """Return the commands of a feature, with those that its steps declare."""
    from studio.steps import step_files

    package, modules = f"studio.features.{feature}.", step_files.modules()
    steps = (name for name, _ in step_files.commands() if modules[name].startswith(package))
    return frozenset((*feature_host.features()[feature].commands, *steps))


def _step_commands() -> Iterator[tuple[str, str]]:
    """Yield the commands that steps declare, and what they do."""
    from studio.steps import step_files

    for name, text in step_files.commands():
        yield name, text[0].lower() + text[1:].removesuffix(".")


def _module(command: str) -> ModuleType:
    """Return the module of a command; one that only runs its step needs none of its own."""
    if command not in COMMANDS and (module := feature_host.command_module(command)):
        return module
    name = f"studio.cli.commands.{command.replace('-', '_')}"
    own = importlib.util.find_spec(name) is not None
    return importlib.import_module(name if own else "studio.cli.step_commands")


def full_parser() -> CommandParser:
    """Return the parser in which every command is described, for manual and completion."""
    known = commands()
    return _make_parser(known, known)


def _parser(words: Sequence[str]) -> CommandParser:
    """Return the parser; only the asked command's module is loaded to describe itself.

    For an unknown command all are, as a command may have a verb of that name.
    """
    asked = next((word for word in words if not word.startswith("-")), "")
    if asked in COMMANDS:
        return _make_parser({asked: COMMANDS[asked]}, [asked])
    known = commands()
    return _make_parser(known, [asked] if asked in ("", *known) else known)


def _make_parser(listed: Mapping[str, str], described: Container[str]) -> CommandParser:
    parser = CommandParser(
        prog="studio",
        description="Edgewright: inspect, quantize, profile, deploy and monitor AI models.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"Edgewright {studio.__version__}")
    common = common_flags()
    parsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, text in listed.items():
        if name not in described:  # its line in the help needs no parser, which takes a millisecond
            parsers._choices_actions.append(parsers._ChoicesPseudoAction(name, (), text))
            continue
        command = parsers.add_parser(
            name, help=text, description=text[0].upper() + text[1:] + ".", parents=[common]
        )
        _module(name).add(command)
    if len(listed) > 1:
        _group(parser, parsers)
    return parser


def _group(parser: CommandParser, parsers: argparse._SubParsersAction[CommandParser]) -> None:
    """List the commands of each feature in the help below its name, after those of the core."""
    core = listed = parsers._choices_actions
    flags = parser._action_groups.pop()
    for name in feature_host.features():
        group = parser.add_argument_group(name)
        own = commands_of(name)
        group._group_actions += [entry for entry in listed if entry.dest in own]
        core = [entry for entry in core if entry.dest not in own]
    parsers._get_subactions = lambda: core  # type: ignore[method-assign]
    parser._action_groups.append(flags)


if __name__ == "__main__":
    sys.exit(main())

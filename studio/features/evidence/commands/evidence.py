"""``studio evidence``: folders of evidence, frameworks, screening, and questions of a dossier."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from studio.api import UsageError
from studio.cli.flags import add_verbs
from studio.cli.output import fail_job, print_json, print_lines
from studio.cli.session import add_step, workspace
from studio.cli.step_commands import run_named
from studio.documents.dataclass_json import to_json
from studio.features.evidence.form import texts as form_texts
from studio.features.evidence.frameworks import texts
from studio.features.evidence.frameworks.catalogue import framework, frameworks
from studio.features.evidence.frameworks.coverage import crosswalk
from studio.features.evidence.frameworks.results import Framework
from studio.features.evidence.survey.facade import Evidence
from studio.jobs import JobOutcome
from studio.lazy_dataclass import dataclass
from studio.workspace import Workspace


@dataclass(frozen=True, slots=True)
class _Verb:
    """A verb: its help, what describes its arguments, and what runs it."""

    help: str
    add: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parsers = add_verbs(parser, **{name: verb.help for name, verb in _VERBS.items()})
    for name, verb in _VERBS.items():
        verb.add(parsers[name])


def with_verb(words: list[str]) -> list[str]:
    """Return the words after the command with the verb: a subject alone is one to write about."""
    named = words and not words[0].startswith("-") and words[0] not in _VERBS
    return ["make", *words] if named else words


def run(arguments: argparse.Namespace) -> int:
    """Run the verb."""
    return _VERBS[arguments.verb].run(arguments)


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--framework",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="add a framework file of your own; may be repeated",
    )


def _add_frameworks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="show the sections of a framework")
    _add_files(parser)


def _add_ask(parser: argparse.ArgumentParser) -> None:
    text = "file, name or #number; without it all questions are listed"
    parser.add_argument("model", nargs="?", metavar="MODEL", help=text)
    text = "question to request from a person (with --of)"
    parser.add_argument("subject", nargs="?", metavar="SUBJECT", help=text)
    parser.add_argument("--of", metavar="NAME", help="record who is to answer SUBJECT")
    _add_files(parser)


def _add_answers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="file, name or #number")
    text = "also list answers that later ones have replaced"
    parser.add_argument("--history", action="store_true", help=text)


def _list_frameworks(arguments: argparse.Namespace) -> int:
    known = _known(arguments)
    if arguments.name is not None:
        shown = framework(arguments.name, known)
        return _print(arguments, to_json(shown), lambda: texts.sections(shown))
    documents = [{**to_json(one), "sections": len(one.sections)} for one in known]
    return _print(arguments, {"frameworks": documents}, lambda: texts.frameworks(known))


def _crosswalk(arguments: argparse.Namespace) -> int:
    rows = crosswalk(_known(arguments))
    return _print(arguments, {"crosswalk": to_json(rows)}, lambda: texts.crosswalk(rows))


def _ask(arguments: argparse.Namespace) -> int:
    if arguments.subject is not None or arguments.of is not None:
        return _request(arguments)
    known = _known(arguments)
    with workspace() as opened:
        model = None if arguments.model is None else _model_name(opened, arguments.model)
        if isinstance(model, JobOutcome):
            return fail_job(model, as_json=arguments.json, debug=arguments.debug)
        found = opened.service(Evidence).forms.open_questions(model, known)
    document = {"model": model, "questions": to_json(found)}
    return _print(arguments, document, lambda: form_texts.questions(found))


def _request(arguments: argparse.Namespace) -> int:
    """Record who is to answer a question."""
    if arguments.subject is None or arguments.of is None:
        raise UsageError(
            "A request needs a question and a person.",
            hint="Write: studio evidence ask MODEL SUBJECT --of NAME",
        )
    return run_named("evidence-request", arguments)


def _answers(arguments: argparse.Namespace) -> int:
    with workspace() as opened:
        model = _model_name(opened, arguments.model)
        if isinstance(model, JobOutcome):
            return fail_job(model, as_json=arguments.json, debug=arguments.debug)
        form = opened.service(Evidence).forms.of(model)
    latest = list(form.latest().values())
    document = {"model": model, "answers": to_json(form.answers if arguments.history else latest)}
    return _print(
        arguments, document, lambda: form_texts.answers(model, form, history=arguments.history)
    )


def _model_name(opened: Workspace, text: str) -> str | JobOutcome:
    """Return the name of a model, which is opened where a file is named; else how that failed."""
    given = Path(text).expanduser()
    if not given.is_file():
        return opened.registry.find(text).model_name
    outcome = opened.run("open", model=str(given))
    return opened.registry.variant(outcome.result.variant).model_name if outcome.ok else outcome


def _known(arguments: argparse.Namespace) -> tuple[Framework, ...]:
    return frameworks(file.expanduser() for file in arguments.framework)


def _print(arguments: argparse.Namespace, document: object, lines: Callable[[], list[str]]) -> int:
    if arguments.json:
        print_json(document)
    else:
        print_lines(lines())
    return 0


def _step(name: str, text: str) -> _Verb:
    """Return the verb that runs a step."""
    return _Verb(text, lambda parser: add_step(parser, name), lambda given: run_named(name, given))


_VERBS = {
    "make": _step("evidence", "write a folder of evidence about a version (the default verb)"),
    "verify": _step("evidence-verify", "verify a folder of evidence: bytes, signature, figures"),
    "frameworks": _Verb(
        "list laws and standards, or the sections of one", _add_frameworks, _list_frameworks
    ),
    "crosswalk": _Verb(
        "list which sections of all frameworks share a subject", _add_files, _crosswalk
    ),
    "screen": _step("evidence-screen", "place the intended use of a model by questions"),
    "ask": _Verb("list open questions of a dossier, or request an answer", _add_ask, _ask),
    "answer": _step("evidence-answer", "answer a question of a dossier"),
    "notice": _step("evidence-notice", "show or export the notice for users"),
    "answers": _Verb("list the answers about a model", _add_answers, _answers),
}

"""``studio events``: events that wait in the outboxes of the alert file's channels."""

from __future__ import annotations

import argparse

from studio.cli.flags import add_verbs
from studio.cli.output import print_json, print_lines
from studio.cli.session import workspace
from studio.documents.dataclass_json import to_json
from studio.documents.text_table import table


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_verbs(parser, list="list the events that wait", send="send the events that wait")


def run(arguments: argparse.Namespace) -> int:
    """Run the verb."""
    with workspace() as opened:
        if arguments.verb == "send":
            done = opened.hooks.send()
            if arguments.json:
                print_json({"channels": {name: to_json(one) for name, one in done.items()}})
            else:
                rows = [(n, str(o.sent), str(o.waiting), o.error) for n, o in done.items()]
                print_lines(table(("channel", "sent", "waiting", "error"), rows))
            return int(any(one.error for one in done.values()))
        waiting = [(one.name, w) for one in opened.hooks.channels() for w in one.outbox.waiting()]
    if arguments.json:
        print_json({"waiting": [{"channel": name, **to_json(one)} for name, one in waiting]})
    else:
        found = [(n, o.event.type, o.event.subject, str(o.tries), o.error) for n, o in waiting]
        columns = ("channel", "event", "target", "tries", "error")
        print_lines(table(columns, found) if found else ["No events wait."])
    return 0

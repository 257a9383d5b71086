"""The broker of the boards: its address, login file and topic, which the window remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from PySide6.QtCore import Signal

from studio.api import Kind, Option
from studio.gui import session_state as memory
from studio.gui.forms.form import Form
from studio.gui.widgets.basics import Card, button, label, row

if TYPE_CHECKING:
    from studio.settings import Settings

KEY = "fleet_broker"
TOPIC = "edgewright/state"
OPTIONS = (
    Option(
        "source",
        Kind.TEXT,
        title="Broker",
        help="Address of the broker: nats://, tls:// (NATS with TLS), mqtt:// or mqtts://.",
        required=True,
        placeholder="tls://broker.example:4222",
    ),
    Option(
        "login",
        Kind.FILE,
        title="Login file",
        help="JSON file with user, password, token, ca, certificate and key, for its owner only.",
    ),
    Option(
        "topic",
        Kind.TEXT,
        TOPIC,
        title="Topic",
        help="Topic before the board's name.",
        advanced=True,
    ),
)
_PASSWORD = "An address has no user or password. Write them into a login file."
_NOTE = "The path of the login file is stored, never its content."


class BrokerCard(Card):
    """The form of the broker.

    Signals:
        chosen: The values that were stored.
        closed: The form was closed without a change.
    """

    chosen = Signal(dict)
    closed = Signal()

    def __init__(self, settings: Settings) -> None:
        super().__init__("Broker of the boards", "NATS with JetStream, or MQTT.")
        self._settings = settings
        self.form = Form(OPTIONS)
        self.fault = label("", tone="bad", wrap=True)
        self.fault.hide()
        self.connect_button = button("Connect", self.connect_now, "primary")
        self.cancel = button("Cancel", self.closed.emit, "link")
        for part in (self.form, self.fault, label(_NOTE, "small", wrap=True)):
            self.body.addWidget(part)
        self.body.addLayout(row(self.connect_button, self.cancel, None))
        self.form.submitted.connect(self.connect_now)

    @property
    def stored(self) -> dict[str, str]:
        """The values of the last session; empty without any."""
        found = memory.recall(self._settings).get(KEY)
        if not isinstance(found, dict) or not found.get("source"):
            return {}
        return {name: str(value) for name, value in found.items() if value}

    def begin(self) -> None:
        """Show the stored values, with the keyboard in the first field."""
        self.fault.hide()
        self.cancel.setVisible(bool(self.stored))
        self.form.set_values({"topic": TOPIC, "login": "", "source": "", **self.stored})
        self.form.fields["source"].editor.setFocus()

    def connect_now(self) -> None:
        """Store the values, and use them; an address with a password is refused."""
        if not self.form.check():
            return
        values = {name: str(value) for name, value in self.form.values().items() if value}
        if "@" in urlsplit(values["source"]).netloc:
            self.fault.setText(_PASSWORD)
            self.fault.show()
            return
        memory.store(self._settings, **{KEY: values})
        self.chosen.emit(values)

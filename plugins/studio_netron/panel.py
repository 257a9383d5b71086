"""The panel of other formats: Netron's page in the window, or in the system's browser."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QBuffer,
    QByteArray,
    QFile,
    QIODevice,
    QObject,
    Qt,
    QThreadPool,
    QUrl,
    Signal,
)
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from studio.api import Kind, Option, StudioError
from studio.api.qt import Panel, PanelHost, plain_tip
from studio_netron import engine
from studio_netron.content import Content
from studio_netron.server import NetronServer

SCHEME = b"edgewright-netron"
PAGE = "edgewright-netron://model/"
ABOUT = (
    "Netron shows models in other formats (PyTorch, Keras, Core ML, Caffe…). Its page can read "
    "only this file and has no network access."
)
IN_BROWSER = (
    "{} The page opens in your browser. Only your browser can reach the server of this window."
)
FILE = Option("file", Kind.FILE, required=True, title="Model", help="A model in any format.")


class NetronPanel(Panel):
    """Panel that shows a file: in the window with Qt WebEngine, else in the browser.

    Attributes:
        form: The file.
        here, browser: The buttons.
        sentence: What it does, and where it can.
        view: The page in the window; None before the first request.
        server: Server of the page for the browser; None before the first request.
    """

    def __init__(self, host: PanelHost) -> None:
        super().__init__(host)
        self.server: NetronServer | None = None
        self.view: QWidget | None = None
        self._offered = ""
        self._shown_file = ""
        self.form = host.form([FILE])
        self.form.on_submit(self._submit)
        self.here = QPushButton("Show it here")
        self.here.clicked.connect(lambda: self.show_here())
        self.here.setEnabled(False)
        self.browser = QPushButton("Open in the browser")
        self.browser.clicked.connect(lambda: self.open_browser())
        self.sentence = QLabel(ABOUT, textFormat=Qt.TextFormat.PlainText)
        self.sentence.setProperty("role", "dim")
        self.sentence.setWordWrap(True)
        self._build()
        self._told = told = _AnswerRelay()
        told.ready.connect(self._explain)
        QThreadPool.globalInstance().start(lambda: told.ready.emit(engine.why_not()))

    def _build(self) -> None:
        buttons = QHBoxLayout()
        for one in (self.here, self.browser):
            buttons.addWidget(one)
        buttons.addStretch(1)
        place = QWidget()
        self._shown = QStackedLayout(place)
        layout = QVBoxLayout(self)
        layout.addWidget(self.sentence)
        layout.addWidget(self.form.widget)
        layout.addLayout(buttons)
        layout.addWidget(place, 1)

    def refresh(self) -> None:
        """Take the model that is open, unless the user has chosen another file."""
        current = self.host.model_file()
        entered = self._entered()
        if current and entered in ("", self._offered):
            self._offered = current
            if entered != current:
                self.form.set_values({"file": current})
            self._show_offered()

    def _show_offered(self) -> None:
        """Show the open model at once where the page is shown in the window."""
        if self._offered and self.here.isEnabled() and self._shown_file != self._offered:
            self.show_here()

    def show_here(self) -> None:
        """Show the file in the window, in the place of the one before."""
        path = self._path()
        if path is None:
            return
        self._shown_file = str(path)
        try:
            view = web_view(path)
        except StudioError as error:
            self.host.fail(error)
            return
        if self.view is not None:
            self._shown.removeWidget(self.view)
            self.view.deleteLater()
        self.view = view
        self._shown.addWidget(view)

    def open_browser(self) -> None:
        """Serve the file to the browser, and stop serving the previous one."""
        path = self._path()
        if path is None:
            return
        self.end()
        try:
            self.server = NetronServer(path)
        except StudioError as error:
            self.host.fail(error)
            return
        self.destroyed.connect(self.server.close)
        if QDesktopServices.openUrl(QUrl(self.server.url)):
            self.host.say(f"{path.name} is open in your browser.")
        else:
            self.host.say("No browser could be opened.", "bad")
            self.end()

    def end(self) -> None:
        """Stop serving."""
        if self.server is not None:
            self.server.close()
            self.server = None

    def _entered(self) -> str:
        try:
            return str(self.form.values().get("file", ""))
        except StudioError:
            return ""  # nothing was entered

    def _path(self) -> Path | None:
        return Path(self._entered()) if self.form.check() else None

    def _submit(self) -> None:
        (self.show_here if self.here.isEnabled() else self.open_browser)()

    def _explain(self, reason: str) -> None:
        """Say where the page can be shown; the button that works is the primary one."""
        self.here.setEnabled(not reason)
        self.here.setToolTip(plain_tip(reason))
        self.here.setAccessibleDescription(reason)
        self.sentence.setText(f"{ABOUT} {IN_BROWSER.format(reason)}" if reason else ABOUT)
        first = self.browser if reason else self.here
        first.setProperty("kind", "primary")
        first.style().polish(first)
        self._show_offered()


class _AnswerRelay(QObject):
    """Brings an answer to the window's thread.

    Signals:
        ready: Why the page cannot be shown here; empty when it can.
    """

    ready = Signal(str)


def web_view(
    model: Path, asked: Callable[[str, bool], object] = lambda url, allowed: None
) -> QWidget:
    """Return Netron's page for one model, in a browser profile without storage and network.

    Args:
        asked: Called with each URL that the page requests, and whether it is allowed.

    Raises:
        InvalidModel: when the file cannot be shown.
        Unavailable: when netron is not there.
    """
    content = Content(model)
    kinds = _kinds()
    view: Any = kinds.widgets.QWebEngineView()
    profile = kinds.core.QWebEngineProfile()  # without a name it keeps nothing on the disk
    guard, files = kinds.guard(profile, asked), kinds.files(profile, content)
    # Before there is a page: one that was made without the guard is never guarded.
    profile.setUrlRequestInterceptor(guard)
    profile.installUrlSchemeHandler(SCHEME, files)
    profile.downloadRequested.connect(lambda download: download.cancel())
    page = kinds.page(profile, view)
    # Qt keeps no reference: without ours Python would delete the guard.
    view.kept = (guard, files, profile)
    page.destroyed.connect(profile.deleteLater)
    page.destroyed.connect(content.close)
    _restrict(page.settings(), kinds.core.QWebEngineSettings.WebAttribute)
    view.setAccessibleName(f"Graph of {model.name}, by Netron")
    view.setPage(page)
    page.setUrl(QUrl(PAGE))
    shown: QWidget = view
    return shown


def _restrict(settings: Any, attributes: Any) -> None:
    for name in (
        "JavascriptCanOpenWindows",
        "JavascriptCanAccessClipboard",
        "LocalContentCanAccessRemoteUrls",
        "LocalContentCanAccessFileUrls",
        "PluginsEnabled",
        "PdfViewerEnabled",
        "FullScreenSupportEnabled",
        "ScreenCaptureEnabled",
        "DnsPrefetchEnabled",
        "HyperlinkAuditingEnabled",
    ):
        settings.setAttribute(getattr(attributes, name), False)


class _Kinds:
    """Classes derived from Qt WebEngine, which is loaded for the first page.

    Attributes:
        guard: Lets nothing through but our scheme and what the page has made itself.
        files: Answers our scheme.
        page: Goes nowhere else, and may do nothing that needs leave.
    """

    def __init__(self) -> None:
        self.core: Any = importlib.import_module("PySide6.QtWebEngineCore")
        self.widgets: Any = importlib.import_module("PySide6.QtWebEngineWidgets")
        scheme = self.core.QWebEngineUrlScheme(SCHEME)
        flags = self.core.QWebEngineUrlScheme.Flag
        scheme.setSyntax(self.core.QWebEngineUrlScheme.Syntax.Host)
        scheme.setFlags(flags.SecureScheme | flags.CorsEnabled | flags.FetchApiAllowed)
        self.core.QWebEngineUrlScheme.registerScheme(scheme)
        self.guard = self._guard()
        self.files = self._files()
        self.page = self._page()

    def _guard(self) -> Any:
        class Guard(self.core.QWebEngineUrlRequestInterceptor):  # type: ignore[misc, name-defined]
            def __init__(self, parent: QObject, asked: Callable[[str, bool], object]) -> None:
                super().__init__(parent)
                self._asked = asked

            def interceptRequest(self, info: Any) -> None:  # noqa: N802
                url = info.requestUrl()
                allowed = url.toString().startswith(PAGE) or url.scheme() in ("blob", "data")
                self._asked(url.toString(), allowed)
                info.block(not allowed)

        return Guard

    def _files(self) -> Any:
        failed = self.core.QWebEngineUrlRequestJob.Error.UrlNotFound

        class Files(self.core.QWebEngineUrlSchemeHandler):  # type: ignore[misc, name-defined]
            def __init__(self, parent: QObject, content: Content) -> None:
                super().__init__(parent)
                self._content = content

            def requestStarted(self, job: Any) -> None:  # noqa: N802
                path = job.requestUrl().path(QUrl.ComponentFormattingOption.FullyEncoded)
                answer = self._content.answer(path.removeprefix("/"))
                if answer is None or bytes(job.requestMethod()) != b"GET":
                    job.fail(failed)
                    return
                device: QIODevice = QFile(self._content.place(), job)
                if answer.body is not None:
                    device = buffer = QBuffer(job)
                    buffer.setData(QByteArray(answer.body))
                job.reply(answer.content_type.partition(";")[0].encode(), device)

        return Files

    def _page(self) -> Any:
        class Page(self.core.QWebEnginePage):  # type: ignore[misc, name-defined]
            def acceptNavigationRequest(self, url: QUrl, kind: Any, is_main: bool) -> bool:  # noqa: N802
                return url.toString().startswith(PAGE)

            def createWindow(self, kind: Any) -> None:  # noqa: N802
                return None

            def javaScriptConsoleMessage(self, *message: Any) -> None:  # noqa: N802
                """Keep the terminal clean."""

        return Page


@functools.cache
def _kinds() -> _Kinds:
    return _Kinds()

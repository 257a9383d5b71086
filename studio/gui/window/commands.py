"""The window's actions, and what else the command palette offers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from PySide6.QtGui import QAction, QKeySequence

from studio.gui.shell import PaletteEntry, WindowParts
from studio.gui.widgets.actions import action, explain, reason
from studio.gui.window import keys
from studio.gui.window.side.help_panel import show_about
from studio.gui.window.stages import BY_ID

UNLISTED = frozenset({"palette", "dismiss"})
"""Actions that make no sense inside the palette."""


class Commands:
    """Every action of the window with its name and shortcut, and why it cannot be taken."""

    def __init__(self, window: WindowParts) -> None:
        self._window = window
        self._actions: list[QAction] = []
        self._reasons: dict[str, Callable[[], str]] = {
            "close": lambda: "" if window.current.variant else "No model is open.",
            "export": self._why_no_export,
            "cancel": lambda: "" if window.jobbar.current() else "No job is running.",
            "primary": lambda: keys.why_no_primary(window.page()),
            "inspector": lambda: (
                "" if window.inspector.has_content() else "This page has no inspector."
            ),
        }
        self._make()

    def _make(self) -> None:
        window = self._window
        self._add("open", "Open a model…", window.choose_model, "Ctrl+O")
        self._add("palette", "Command palette", window.open_palette, "Ctrl+K")
        for stage in BY_ID.values():
            if stage.id == "welcome":
                continue  # Model shows it while no model is open
            show = partial(window.go, stage.id)
            self._add(f"go-{stage.id}", f"Go to {stage.title}", show, stage.shortcut)
        self._add("close", "Close the model", window.current.close, "Ctrl+W")
        self._add("export", "Convert the model to another format…", window.exporter.offer)
        self._add("inspector", "Show or hide the inspector", window.inspector.toggle, "Ctrl+I")
        self._add("jobs", "Show or hide Activity", window.toggle_jobs, "Ctrl+J")
        self._add("help", "Help for this page", window.toggle_help, "F1")
        self._add("about", "About Edgewright", partial(show_about, window))
        text = "Press the primary button of the page"
        primary = self._add("primary", text, lambda: keys.press_primary(window.page()))
        primary.setShortcuts([QKeySequence("Ctrl+Return"), QKeySequence("Ctrl+Enter")])
        self._add("cancel", "Cancel the running job", window.jobbar.cancel_job, "Ctrl+.")
        self._add("theme", "Switch between light and dark", window.toggle_theme, "Ctrl+Shift+T")
        follow = partial(window.choose_theme, "system")
        self._add("theme-system", "Use the system theme", follow)
        self._add("dismiss", "Dismiss message", window.toasts.close_message)
        self._add("full-screen", "Full screen", window.toggle_full_screen, "F11")
        self._add("support", "Save a support archive…", self._save_support_archive)
        self._add("quit", "Quit", window.widget.close, "Ctrl+Q")

    def _why_no_export(self) -> str:
        variant = self._window.current.variant
        if variant is None:
            return "No model is open."
        return self._window.workspace.why_not("export", variant)

    def _save_support_archive(self) -> None:
        from studio.gui.window.dialogs.support import save_support_archive

        save_support_archive(self._window)

    def _add(self, name: str, text: str, run: Callable[[], object], shortcut: str = "") -> QAction:
        made = action(self._window.widget, name, text, run, shortcut)
        self._actions.append(made)
        self._window.widget.addAction(made)
        return made

    def sources(self) -> tuple[Callable[[], Iterator[PaletteEntry]], ...]:
        """Return the sources that the palette reads each time it opens."""
        return self._from_actions, self._from_registry, self._from_pages

    def _from_actions(self) -> Iterator[PaletteEntry]:
        page = self._window.page()
        for item in (*self._actions, *(page.actions() if page is not None else ())):
            name = item.objectName()
            if name in UNLISTED:
                continue
            if name in self._reasons:
                explain(item, self._reasons[name]())
            shown = item.shortcut().toString().replace("+", " ")
            yield PaletteEntry(
                item.text(), "Action", item.trigger, shortcut=shown, reason=reason(item)
            )

    def _from_registry(self) -> Iterator[PaletteEntry]:
        window, registry = self._window, self._window.workspace.registry
        for variant in window.current.variants:
            name = f"{variant.model_name} {variant.name}"
            yield PaletteEntry(name, "Variant", partial(window.select, variant.id), weight=1)
        for model in registry.models():
            yield PaletteEntry(model.name, "Model", partial(window.open_known, model.id), weight=2)
        for target in registry.targets():
            show = partial(window.go, "targets")
            yield PaletteEntry(target.name, "Target", show, detail=target.url, weight=2)

    def _from_pages(self) -> Iterator[PaletteEntry]:
        for page in self._window.pages():
            yield from page.entries()

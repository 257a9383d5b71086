"""The text of a conversation: messages with their authors, an answer that grows, a marked place."""

from __future__ import annotations

from PySide6.QtGui import QColor, QFont, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit

from studio.documents.plain import plain
from studio.gui.theme import Theming

_MOST_BLOCKS = 20_000
_MARK_ALPHA = 90
_TONE = "warning"


class Transcript(QPlainTextEdit):
    """A read-only text to select and copy from; what models write is shown as plain text."""

    def __init__(self, name: str, theming: Theming) -> None:
        super().__init__()
        self._theming = theming
        self._answer = 0
        self._marked: tuple[int, int] | None = None
        self.setReadOnly(True)
        self.setAccessibleName(name)
        self.setTabChangesFocus(True)
        self.setMaximumBlockCount(_MOST_BLOCKS)
        self.setUndoRedoEnabled(False)
        theming.changed.connect(self._paint_mark)

    def add_message(self, author: str, text: str = "") -> None:
        """Add a message; without a text an answer begins that ``add_text`` continues."""
        self.unmark()
        cursor = self._end()
        strong = QTextCharFormat()
        strong.setFontWeight(QFont.Weight.DemiBold)
        gap = "" if self.document().isEmpty() else "\n\n"
        cursor.insertText(f"{gap}{author}\n", strong)
        self._answer = cursor.position()
        self.add_text(text)

    def add_text(self, text: str) -> None:
        """Continue the last message; the view follows while its end is seen."""
        bar = self.verticalScrollBar()
        follows = bar.value() >= bar.maximum() - 1
        self._end().insertText(plain(text), QTextCharFormat())
        if follows:
            bar.setValue(bar.maximum())

    def mark(self, begin: int, end: int) -> None:
        """Mark some text of the last message; an empty span marks the sign before it."""
        length = self.document().characterCount() - 1 - self._answer
        begin, end = min(begin, length), min(end, length)
        if begin == end:
            begin = max(0, begin - 1)
        self._marked = (self._answer + begin, self._answer + end)
        self._paint_mark()

    def unmark(self) -> None:
        """Remove the mark."""
        self._marked = None
        self._paint_mark()

    def _end(self) -> QTextCursor:
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        return cursor

    def _paint_mark(self) -> None:
        marks = []
        if self._marked is not None:
            selection = QTextEdit.ExtraSelection()
            cursor = QTextCursor(self.document())
            cursor.setPosition(self._marked[0])
            cursor.setPosition(self._marked[1], QTextCursor.MoveMode.KeepAnchor)
            color = QColor(self._theming.current.colors[_TONE])
            color.setAlpha(_MARK_ALPHA)
            look = QTextCharFormat()
            look.setBackground(color)
            look.setFontUnderline(True)  # a colour alone is not seen by everybody
            selection.format, selection.cursor = look, cursor
            marks.append(selection)
        self.setExtraSelections(marks)

"""The view *Chat* of the Try it page."""

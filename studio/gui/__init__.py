"""The window: a thin layer that parses no model and opens no socket."""

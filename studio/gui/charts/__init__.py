"""The window's charts: pictures by matplotlib made off the GUI thread, and light live lines."""

"""The notice of a server for the people who use it: a page, and the same as JSON."""

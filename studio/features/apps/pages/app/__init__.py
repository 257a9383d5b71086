"""The App page: the graph of an app, its picture, and its events."""

"""The connection to a cluster: its address, its API, and the objects that it holds."""

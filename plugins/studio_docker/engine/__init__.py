"""Container engines: the connection, the calls of their API, and images loaded into them."""

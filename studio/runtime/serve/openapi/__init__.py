"""The description of the server's HTTP interface in the form of OpenAPI 3.1."""

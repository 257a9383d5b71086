"""Tasks for other computers: what an executor is given, and a folder that all nodes share."""

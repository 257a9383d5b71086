"""A fake of MLflow's server: the part of its documented REST API that the plugin uses."""

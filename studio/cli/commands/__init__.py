"""The commands that are more than one step, a module each, named after the command."""

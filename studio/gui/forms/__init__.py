"""Forms made from the options of a step, with an editor for each kind."""

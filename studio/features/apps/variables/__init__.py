"""Variables of an app on a target: listed, set and unset from the desk."""

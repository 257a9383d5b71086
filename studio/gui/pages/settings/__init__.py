"""The page of settings: what the user may change, plugins, keys, versions and licences."""

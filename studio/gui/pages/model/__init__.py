"""The Model page: graph, search, inspector, comparison, compatibility, surgery."""

"""The door for agents: a server of the Model Context Protocol over a workspace."""

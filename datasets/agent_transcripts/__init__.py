"""Sessions of the agent as a dataset."""

"""Mathematics without parameters: pure functions from a chunk and a state to a chunk and a state."""

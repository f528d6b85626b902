"""Mathematics without parameters: pure functions from a chunk and a state to the next of both."""

"""What the model wrote itself and a verifier accepted."""

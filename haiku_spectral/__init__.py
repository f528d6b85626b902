"""SpectralGPT: a byte-level language model whose state has a fixed size, however long the past."""

"""What the benchmark program measures."""

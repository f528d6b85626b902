"""Programs: flags and wiring, no mathematics."""

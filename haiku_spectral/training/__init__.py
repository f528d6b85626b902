"""Loss, optimiser, guards, train step, checkpoints, metrics and the loop that joins them."""

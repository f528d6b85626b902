"""Loss by position, extrapolation, baselines and the plots that show them."""

"""Haiku modules: the parameters of the model and the mixers that use them."""

"""Minimal pairs: does a model find the right sentence likelier than the wrong one beside it?"""

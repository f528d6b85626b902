"""Families of problems whose answers a machine can check: propose, solve, run, compare."""

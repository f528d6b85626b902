"""Tests. They allocate memory as the programs do."""

from haiku_spectral import backend

backend.tune_malloc()

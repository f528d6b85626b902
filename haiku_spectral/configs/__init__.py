"""Presets: each file's `get_config()` is what `--config=haiku_spectral/configs/NAME.py` loads."""

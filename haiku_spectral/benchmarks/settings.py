"""The sizes of all measurements."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
  """Of all sections of all suites. Positions, prompts and contexts are in bytes."""

  run_dir: str = ''  # Whose model; empty: the preset tiny with random parameters.
  repeats: int = 3  # Rounds; their median counts.
  round_bytes: int = 1088  # Generated per round: a horizon and a block, so all tiles are paid.
  direct_bytes: int = 32  # The same for the chunk call, in which all bytes cost the same.
  positions: tuple[int, ...] = (1 << 10, 1 << 16, 1 << 20)
  prompts: tuple[int, ...] = (1 << 16, 1 << 20)
  horizons: tuple[int, ...] = (1 << 10, 1 << 12, 1 << 14)
  contexts: tuple[int, ...] = (1 << 10, 1 << 13, 1 << 14, 1 << 15, 1 << 16)
  text_bytes: int = 1 << 16  # Of each language, compressed.
  prompt_bytes: int = 1 << 12  # Of each language, as the prompt of a generation.
  gigabytes: float = 1.0  # Of synthetic text, all formats together.
  window_bytes: int = 1 << 25  # Of each format, read in random order.
  steps: int = 20  # Of training.
  lengths: tuple[int, ...] = (1 << 10, 1 << 13, 1 << 15)  # Of the rows that are trained on.
  step_bytes: int = 1 << 13  # Of a training step, or one row.
  quality_bytes: int = 1 << 20  # Of held-out documents, the first ones.
  context_bytes: int = 1 << 24  # Of training text before a compressor's held-out documents.
  widths: tuple[int, ...] = (64, 128, 256, 512)  # Of the coordinate check.
  check_steps: int = 8  # Of training, before activations are compared.
  worker_seconds: float = 300.0  # That one step of a model may take, compilation included.
  jobs: int = 1000  # Sandboxed.


QUICK = Settings(
    repeats=1, round_bytes=64, direct_bytes=16, positions=(64, 256), prompts=(512, 2048),
    horizons=(256, 512), contexts=(64, 256), text_bytes=1024, prompt_bytes=256,
    gigabytes=0.01, window_bytes=1 << 20, steps=5, jobs=50, lengths=(64, 256), step_bytes=128,
    quality_bytes=1 << 12, context_bytes=1 << 14, widths=(32, 64),
    check_steps=2)

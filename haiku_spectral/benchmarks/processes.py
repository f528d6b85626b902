"""What is measured in processes of its own: memory of a prefill, and the baseline."""

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import jax

from haiku_spectral.benchmarks import speed, step_worker
from haiku_spectral.benchmarks import subject as subject_lib
from haiku_spectral.benchmarks.report import Row, Section
from haiku_spectral.benchmarks.settings import Settings
from haiku_spectral.benchmarks.subject import Subject


def run_json(command: list[str]) -> dict[str, Any]:
  """Runs a command from the root and parses its last line as JSON.

  Raises RuntimeError with the last line of its complaint when it fails or has no output.
  """
  done = subprocess.run(
      command, cwd=step_worker.ROOT, env=step_worker.environment(), encoding='utf-8',
      errors='replace', check=False, capture_output=True)
  if done.returncode or not done.stdout.strip():
    raise RuntimeError(
        f'exit code {done.returncode}: {step_worker.complaint(done.stderr, done.stdout)}')
  return json.loads(done.stdout.splitlines()[-1])


def prefill_memory(subject: Subject, settings: Settings) -> Section:
  """Peak memory and speed of prefill, by the length of the prompt."""
  del subject
  command = [sys.executable, '-m', 'haiku_spectral.benchmarks.prefill_peak']
  run_dir = str(pathlib.Path(settings.run_dir).resolve()) if settings.run_dir else ''
  found = [run_json([*command, run_dir, str(count)]) for count in settings.prompts]
  rows: list[Row] = [
      {'prompt, bytes': each['bytes'], 'peak memory, MiB': each['peak'] / 2**20,
       'ratio': each['peak'] / found[0]['peak'], 'bytes/s': each['bytes'] / each['seconds']}
      for each in found
  ]
  return Section(
      'Memory and speed of prefill, by length',
      'Peak resident memory of a new process, Python and compilation included.', rows)


def baseline(subject: Subject, settings: Settings) -> Section:
  """Against a transformer with a key-value cache, of the same size and on the same cores."""
  title = 'Against a transformer of the same size'
  size = sum(leaf.size for leaf in jax.tree.leaves(subject.params))
  arguments = (f'--contexts={",".join(map(str, settings.contexts))} --parameters={size} '
               f'--repeats={settings.repeats} --threads={os.cpu_count()}')
  try:
    theirs = run_json(['make', '--silent', f'PY={sys.executable}',
                       '//haiku_spectral/benchmarks:transformer_baseline', f'ARGS={arguments}'])
  except (RuntimeError, ValueError) as error:
    return Section(title, f'Skipped: the baseline could not be run ({error}).', ())
  contexts = subject_lib.contexts(subject, settings.contexts)
  ours = speed.at_positions(subject, settings, contexts)
  rows: list[Row] = [
      {'context': row['context'], 'ours, ms per byte': ours[row['context']],
       'transformer, ms per token': row['ms'], 'ratio': row['ms'] / ours[row['context']],
       'its fastest variant': row['variant']}
      for row in theirs['rows']
  ]
  return Section(
      title,
      f'{subject.name} ({size:,} parameters) and GPT-2 ({theirs["rows"][0]["parameters"]:,} '
      f'without its table of positions, random) of transformers {theirs["transformers"]} on torch '
      f'{theirs["torch"]}; float32, {theirs["threads"]} threads, one row, greedy. Of each the '
      f'median; of the transformer the least of {settings.repeats} rounds, and of its caches '
      '(dynamic, static) and attentions (eager, sdpa) the fastest at each context.', rows)

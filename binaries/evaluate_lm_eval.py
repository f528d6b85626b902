"""Runs tasks of lm-eval, EleutherAI's harness, on a run or an exported model.

  ./run //binaries:evaluate_lm_eval --run_dir=runs/demo --tasks=my_task --include_path=my_tasks

It has an environment of its own (.venv-lm_eval), without JAX: the model lives in a second process.
A token is a byte. Tasks whose data are on a hub need the network; tasks in your own files do not.
Prints the harness's table and writes lm_eval.json into the run folder.
"""

import json
import os
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

from absl import flags

from binaries import command_line, flag_types, scoring_process
from haiku_spectral.storage import atomic_file

ROOT = pathlib.Path(__file__).resolve().parents[1]
RUN_DIR = flag_types.define_path(
    'run_dir', '', 'Folder of the training run whose model is used, or an exported model.')
TASKS = flags.DEFINE_list('tasks', [], 'Names of tasks, separated by commas.')
INCLUDE_PATH = flag_types.define_path(
    'include_path', None, 'Folder with your own tasks, one YAML file each.')
LIMIT = flag_types.define_integer(
    'limit', None, 'Number of documents per task, from the first one (default: all).', lower=1)
NUM_FEWSHOT = flag_types.define_integer(
    'num_fewshot', None, 'Examples before each question (default: as the task says).')
BATCH_SIZE = flag_types.define_integer('batch_size', 8, 'Texts per device call.', lower=1)
OUTPUT = flag_types.define_path(
    'output', None, "Folder of the report (default: the run folder, or that of the model's file).")
PYTHON = flag_types.define_path(
    'python', None, 'Python with the packages of this library (default: $PY, or .venv/bin/python).')


def _import_lm_eval() -> Any:
  """lm-eval means the package `datasets` of Hugging Face, which our folder of this name hides."""
  path = sys.path[:]
  sys.path[:] = [each for each in path if pathlib.Path(each or '.').resolve() != ROOT]
  try:
    import lm_eval
    import lm_eval.tasks
    import lm_eval.utils
  finally:
    sys.path[:] = path
  return lm_eval


def _scalars(results: dict[str, dict[str, Any]]) -> dict[str, Any]:
  """'task metric' -> value, flat, for reports."""
  return {f'{task} {name.removesuffix(",none")}': value for task, metrics in results.items()
          for name, value in metrics.items() if isinstance(value, (int, float))}


def main(argv: Sequence[str]) -> None:
  """Evaluates, prints and writes the report."""
  del argv
  model = pathlib.Path(flag_types.given(RUN_DIR, flag_types.A_RUN))
  flag_types.given(TASKS, 'names of tasks, separated by commas')
  output = pathlib.Path(OUTPUT.value or (model.parent if model.is_file() else model))
  atomic_file.check_folder(output, what='The report', flag='--output')
  python = PYTHON.value or os.environ.get('PY') or str(ROOT / '.venv/bin/python')
  lm_eval = _import_lm_eval()
  manager = lm_eval.tasks.TaskManager(include_path=INCLUDE_PATH.value)
  if unknown := sorted(set(TASKS.value) - set(manager.all_tasks)):
    raise ValueError(f'--tasks={unknown[0]} is not allowed: give names that lm-eval knows, or an '
                     '--include_path with a YAML file of this task.')
  from binaries import lm_eval_model
  arguments = [f'--run_dir={RUN_DIR.value}', f'--batch_size={BATCH_SIZE.value}']
  with scoring_process.ScoringProcess(python, arguments) as process:
    found = lm_eval.simple_evaluate(
        model=lm_eval_model.ByteModel(process), tasks=TASKS.value, task_manager=manager,
        limit=LIMIT.value, num_fewshot=NUM_FEWSHOT.value, bootstrap_iters=1000, log_samples=False)
    source = process.model
  print(lm_eval.utils.make_table(found), flush=True)
  path = output / 'lm_eval.json'
  atomic_file.write_text(path, command_line.with_command(json.dumps({
      'source': source, 'harness': lm_eval.__version__, **_scalars(found['results']),
      'versions': found['versions'], 'samples': found['n-samples']}, default=str)))
  print(f'Written: {path}')


if __name__ == '__main__':
  command_line.run(main)

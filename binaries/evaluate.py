"""Measures what a trained model makes of its context.

  python -m binaries.evaluate --suite=recall --run_dir=runs/demo --lengths=1024,16384
  python -m binaries.evaluate --suite=length --run_dir=runs/demo --text=~/books --max_factor=256
  python -m binaries.evaluate --suite=recall --write_training_text=recall --bytes=4000000

Prints tables; writes recall.json and recall.png, or length.json and length.png.
"""

import dataclasses
import pathlib
from collections.abc import Iterator, Sequence

import jax.numpy as jnp
import tqdm
from absl import flags

from binaries import command_line, extrapolation_report, flag_types, model_flags
from datasets import text_files
from haiku_spectral.config import phases
from haiku_spectral.evaluation import extrapolation, report
from haiku_spectral.evaluation import plan as plan_lib
from haiku_spectral.evaluation.recall import background, example, plot, scoring, training_text
from haiku_spectral.evaluation.recall import report as recall_report
from haiku_spectral.evaluation.recall import tasks as tasks_lib
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.storage import atomic_file, file_name

flags.adopt_module_key_flags(model_flags)
SUITE = flags.DEFINE_enum(
    'suite', None, ['recall', 'length'],
    'What is measured: recall of facts, or the loss by length of the context.')
TEXT = flag_types.define_paths(
    'text', 'Files, and folders of them, separated by commas: what is scored (length), or stands '
    'between the facts (recall; default: the text of starter).')
OUTPUT = flag_types.define_path(
    'output', None, 'Folder of the report (default: the run folder).')
BATCH_SIZE = flag_types.define_integer(
    'batch_size', 8, 'Texts or windows per device call.', lower=1)
CHUNK = flag_types.define_integer(
    'chunk', 0, 'Bytes per row and device call; 0: the training length.')
PRECISION = model_flags.define_precision()

TASKS = flags.DEFINE_list(
    'tasks', ['verbatim', 'paraphrased', 'passkey', 'needles', 'mqar_16', 'copy', 'induction',
              'update', 'session', 'reset'],
    f'Recall: tasks, separated by commas, of {", ".join(tasks_lib.TASKS)}.')
LENGTHS = flag_types.define_integer_list(
    'lengths', [1024, 4096, 16384], 'Recall: bytes of a text, separated by commas.', lower=1,
    upper=example.MAX_LENGTH)
DEPTHS = flag_types.define_float_list(
    'depths', [0.0, 0.25, 0.5, 0.75, 1.0],
    'Recall: where the fact stands, 0 (the beginning) to 1 (the end), separated by commas.',
    upper=1.0)
EXAMPLES = flag_types.define_integer(
    'examples', 8, 'Recall: texts per task, length and depth.', lower=1)
SEED = flag_types.define_integer('seed', 0, 'Recall: other seeds give other texts.')
TRAINING_TEXT = flag_types.define_path(
    'write_training_text', None,
    'Recall: a new folder, into which texts of all tasks are written to train on.')
BYTES = flag_types.define_integer(
    'bytes', None, 'Recall: bytes of the texts that are written to train on.', lower=1)

MAX_FACTOR = flag_types.define_integer(
    'max_factor', 64, 'Length: greatest multiple of the training length, a power of two.', lower=1)
MAX_DOCUMENTS = flag_types.define_integer(
    'max_documents', 64, 'Length: number of documents, the longest ones.', lower=1)

FILLER_BYTES = 1 << 22  # Of the first ones: several times the longest text.


def _progress(what: str, total: int) -> tqdm.tqdm:
  return tqdm.tqdm(
      desc=what, total=total, unit='B', unit_scale=True, mininterval=command_line.BAR_SECONDS)


def _documents(limit: int) -> Iterator[tuple[str, bytes]]:
  """The texts of --text; tells what was not read."""
  filtered = text_files.Filtered()
  yield from text_files.documents(TEXT.value, limit=limit, filtered=filtered)
  for reason, count in filtered.counts.most_common():
    command_line.tell(f'not read: {count} x {reason}')


def _starter(*, training: bool) -> Iterator[tuple[str, bytes]]:
  """The text of the repository."""
  from datasets.starter import starter_dataset_builder  # Loads TFDS.
  for entry in starter_dataset_builder.manifest():
    if (entry.split == 'train') == training:
      yield entry.file, entry.path.read_bytes()


def _filler(*, training: bool) -> background.Filler:
  """What stands between the facts."""
  found = _documents(FILLER_BYTES) if TEXT.value else _starter(training=training)
  text = b''
  for _, data in found:
    text += data[:FILLER_BYTES - len(text)] + background.SEPARATOR
    if len(text) >= FILLER_BYTES:
      break
  if not text.strip():
    raise ValueError(f'--text={",".join(TEXT.value)} holds no text: give other files.')
  return background.Filler(text)


def _write_training_text() -> None:
  if BYTES.value is None:
    raise ValueError('--bytes is missing: give the size of the texts to write.')
  with _progress('write', BYTES.value) as bar:
    paths = training_text.write(
        TRAINING_TEXT.value, size=BYTES.value, seed=SEED.value, filler=_filler(training=True),
        on_progress=bar.update)
  print(f'Written: {len(paths)} documents in {TRAINING_TEXT.value}. To build a dataset of them:\n'
        '  ./run //binaries:prepare_data --dataset=text_folder --name=recall '
        f'--source={file_name.printable(TRAINING_TEXT.value)}')


def _recall() -> None:
  tasks = tasks_lib.chosen(list(dict.fromkeys(TASKS.value)))
  lengths, depths = (sorted(set(flag.value)) for flag in (LENGTHS, DEPTHS))
  example.check(tasks, lengths, depths, prefix='--')
  filler = _filler(training=False)
  config, params, source, output = _load()
  total = scoring.work(tasks, lengths, depths, EXAMPLES.value)
  with _progress('recall', total) as bar:
    cells = scoring.evaluate(
        spectral_gpt.make_model(config.model),
        model_flags.on_device(params, PRECISION.value), filler, tasks=tasks, lengths=lengths,
        depths=depths, examples=EXAMPLES.value, seed=SEED.value, batch_size=BATCH_SIZE.value,
        chunk=CHUNK.value or config.data.segment, dtype=jnp.dtype(PRECISION.value),
        on_progress=bar.update)
  print(recall_report.to_text(cells, source=source), flush=True)
  paths = output / 'recall.json', output / 'recall.png'
  atomic_file.write_text(
      paths[0], recall_report.to_json(cells, source=source, seed=SEED.value) + '\n')
  plot.save(cells, paths[1])
  print(f'\nWritten: {paths[0]}, {paths[1]}')


def _length() -> None:
  if not TEXT.value:
    raise ValueError('--text is missing: give files or folders to score.')
  config, params, source, output = _load()
  extrapolation.check(
      train_length=config.data.segment, max_factor=MAX_FACTOR.value, batch_size=BATCH_SIZE.value,
      chunk=CHUNK.value, prefix='--')
  plan = plan_lib.Plan(config.data.segment, MAX_FACTOR.value)
  documents = plan_lib.longest(
      _documents(plan.limit), count=MAX_DOCUMENTS.value, limit=plan.limit)
  total = sum(plan.work(len(data)) for _, data in documents)
  with _progress('score', total) as bar:
    found = extrapolation.evaluate(
        spectral_gpt.make_model(config.model),
        model_flags.on_device(params, PRECISION.value), documents,
        train_length=config.data.segment, max_factor=MAX_FACTOR.value,
        batch_size=BATCH_SIZE.value, chunk=CHUNK.value, dtype=jnp.dtype(PRECISION.value),
        on_progress=bar.update)
  found = dataclasses.replace(
      found, source=f'{source} on {", ".join(TEXT.value)}',
      trained_context=phases.trained_context(config))
  print(report.to_text(found), flush=True)
  paths = extrapolation_report.write(found, output, name='length')
  print(f'\nWritten: {paths[0]}, {paths[1]}')


def _load() -> tuple:
  """The config and parameters of the run, what people call it, and the folder of the report."""
  model_flags.check()
  config, params, step = model_flags.load()
  output = pathlib.Path(OUTPUT.value or model_flags.RUN_DIR.value)
  atomic_file.check_folder(output, what='The report', flag='--output')
  return config, params, f'{model_flags.RUN_DIR.value} at step {step:,}', output


def main(argv: Sequence[str]) -> None:
  """Measures, prints and writes the report; or writes text to train on."""
  del argv
  if not SUITE.value:
    raise ValueError('--suite is missing: give recall or length.')
  if SUITE.value == 'length':
    if TRAINING_TEXT.value:
      raise ValueError('--write_training_text is of --suite=recall: give that.')
    _length()
  elif TRAINING_TEXT.value:
    _write_training_text()
  else:
    _recall()


if __name__ == '__main__':
  command_line.run(main)

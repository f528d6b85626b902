"""The suite `recall`: facts that the text stated before, by its length and their depth."""

from collections.abc import Iterator

from absl import flags

from binaries import flag_types, progress_bar, suites
from haiku_spectral.evaluation.recall import background, example, plot, scoring, training_text
from haiku_spectral.evaluation.recall import report as recall_report
from haiku_spectral.evaluation.recall import tasks as tasks_lib
from haiku_spectral.storage import file_name

flags.adopt_module_key_flags(suites)
TASKS = flags.DEFINE_list(
    'tasks', ['verbatim', 'paraphrased', 'passkey', 'needles', 'mqar_16', 'copy', 'induction',
              'update', 'session', 'reset'],
    f'Recall: tasks, separated by commas, of {", ".join(tasks_lib.TASKS)}.')
LENGTHS = flag_types.define_integer_list(
    'lengths', [1024, 4096, 16384], 'Recall: bytes of a text, separated by commas.', lower=1,
    upper=example.MAX_LENGTH)
DEPTHS = flag_types.define_float_list(
    'depths', [0.0, 0.25, 0.5, 0.75, 1.0],
    'Recall: positions of the fact, 0 (beginning) to 1 (end), separated by commas.',
    upper=1.0)
EXAMPLES = flag_types.define_integer(
    'examples', 8, 'Recall: texts per task, length and depth.', lower=1)
SEED = flag_types.define_integer('seed', 0, 'Recall: seed of the facts and texts.')
TRAINING_TEXT = flag_types.define_path(
    'write_training_text', None,
    'Recall: new folder for training texts of the tasks; nothing is measured.')
BYTES = flag_types.define_integer(
    'bytes', None, 'Recall: bytes of training text to write.', lower=1)

FILLER_BYTES = 1 << 22  # Of the first ones: several times the longest text.


def _starter(*, training: bool) -> Iterator[tuple[str, bytes]]:
  """The text of the repository."""
  from datasets.starter import starter_dataset_builder  # Loads TFDS.
  for entry in starter_dataset_builder.manifest():
    if (entry.split == 'train') == training:
      yield entry.file, entry.path.read_bytes()


def _filler(*, training: bool) -> background.Filler:
  """What stands between the facts."""
  found = suites.documents(FILLER_BYTES) if suites.TEXT.value else _starter(training=training)
  text = b''
  for _, data in found:
    text += data[:FILLER_BYTES - len(text)] + background.SEPARATOR
    if len(text) >= FILLER_BYTES:
      break
  if not text.strip():
    raise ValueError(f'--text={",".join(suites.TEXT.value)} holds no text: give other files.')
  return background.Filler(text)


def _write_training_text() -> None:
  size = flag_types.given(BYTES, 'the size of the texts to write')
  with progress_bar.of_long_work('write', size) as bar:
    paths = training_text.write(
        TRAINING_TEXT.value, size=size, seed=SEED.value, filler=_filler(training=True),
        on_progress=bar.update)
  print(f'Written: {len(paths)} documents in {TRAINING_TEXT.value}. To build a dataset of them:\n'
        '  ./run //binaries:prepare_data --dataset=text_folder --name=recall '
        f'--source={file_name.printable(TRAINING_TEXT.value)}')


def _prepare() -> suites.Measure | None:
  if TRAINING_TEXT.value:
    _write_training_text()
    return None
  tasks = tasks_lib.chosen(list(dict.fromkeys(TASKS.value)))
  lengths, depths = (sorted(set(flag.value)) for flag in (LENGTHS, DEPTHS))
  example.check(tasks, lengths, depths, prefix='--')
  filler = _filler(training=False)

  def measure(subject: suites.Subject) -> suites.Found:
    total = scoring.work(tasks, lengths, depths, EXAMPLES.value)
    with progress_bar.of_bytes('recall', total) as bar:
      cells = scoring.evaluate(
          subject.model, subject.params, filler, tasks=tasks, lengths=lengths, depths=depths,
          examples=EXAMPLES.value, seed=SEED.value, batch_size=suites.BATCH_SIZE.value,
          chunk=suites.CHUNK.value or subject.config.data.segment, dtype=subject.dtype,
          on_progress=bar.update)
    return suites.Found(
        recall_report.to_text(cells, source=subject.source),
        recall_report.to_json(cells, source=subject.source, seed=SEED.value), plot.figure(cells))

  return measure


SUITE = suites.Suite('recall of facts, by length of the text and depth', _prepare)

"""A run folder with everything that can be measured, in numbers that nobody would guess."""

import json
import pathlib

from haiku_spectral import config
from haiku_spectral.evaluation import code_length, context_report, report
from haiku_spectral.evaluation.bootstrap import Estimate
from haiku_spectral.evaluation.minimal_pairs import report as minimal_pairs
from haiku_spectral.evaluation.minimal_pairs.scoring import Row
from haiku_spectral.evaluation.recall import report as recall_report
from haiku_spectral.evaluation.recall.scoring import Cell
from haiku_spectral.reporting.results import Source
from haiku_spectral.training import run_folder
from tests.decoding import tiny_model

CONFIG = config.Config(
    model=tiny_model.CONFIG, data=config.DataConfig(mixture='first:0.7,second:0.3', segment=64),
    train=config.TrainConfig(steps=40, optimizer=config.OptimizerConfig(warmup_steps=4)))
SOURCES = (
    Source('first', {
        'splits': {'train': {'documents': 3, 'bytes': 7001, 'records': 1, 'longest_document': 99}},
        'licences': {'CC0': {'documents': 2, 'bytes': 5000}, '': {'documents': 1, 'bytes': 2001}},
        'filtered': {'not <UTF-8>': 4}},
           'Text & more.\nOn two lines.\n\n| a | table |', ('tr', 'en'), '@book{first}',
           './run //binaries:prepare_data --dataset=first'),
    Source('second', None, build='./run //binaries:prepare_data --dataset=second',
           problem='it is not built'))


def rows():
  for step in range(1, 41):
    yield {'step': step, 'kind': 'train', 'bits_per_byte': 8 - step / 10, 'loss/first': 2.0,
           'loss/second': None, 'bytes/first': 700 * step, 'bytes/second': 300 * step,
           'gradient_norm': 1 / step, 'learning_rate': 1e-3, 'skipped_steps': 2,
           'tokens_per_second': 1234.0, 'flops_per_second': 5.5e9, 'mfu': 0.4321,
           'seconds/step': 0.25, 'seconds/data': 0.0123, 'seconds/compute': 0.2377,
           'seconds/checkpoint': None}
    if step % 20 == 0:
      yield {'step': step, 'kind': 'heldout', 'bits_per_byte': 3.987, 'loss/first': 2.1,
             'loss/second': 2.2}


def extrapolation(value=2.3456):
  estimate = Estimate(value, value - 0.1, value + 0.1)
  return report.Report(
      train_length=64, max_factor=4, documents=5, skipped=3, longest=256, bytes=900,
      bits_per_byte=estimate, trained_context=128, source='runs/x at step 40 on first (validation)',
      factors=tuple(
          report.Factor(factor=2**i, start=32 * 2**i, reach=64 * 2**i, documents=5, bytes=300,
                        full=estimate, cut=estimate, gain=Estimate(0.0321 * i, None, None))
          for i in range(3)),
      octaves=tuple(report.Octave(start=2**i, end=2**(i + 1), bytes=9, bits_per_byte=5.0 - i / 4)
                    for i in range(8)),
      baselines=report.Baselines(train_bytes=7001, unigram=4.44, trigram=3.33,
                                 unigram_entropy=4.22))


def context():
  names = ('gzip -9', 'PPMd order 6')
  return context_report.Report(
      train_length=64, trained_context=128, documents=1, bytes=800, longest=4096, runs=1,
      missing=('zpaq -m5',), source='runs/x at step 30 on first (test)',
      rows=tuple(
          context_report.Row(
              context=64 * 4**i, whole=i == 2, bits_per_byte=Estimate(2.5 - i / 10, None, None),
              gain=Estimate(i / 10, None, None), over_runs=None, gain_over_runs=None,
              remembrance=Estimate(1 / 4**i, None, None),
              compressors={names[0]: 3.9, names[1]: 3.5 - i / 2})
          for i in range(3)))


def cells():
  for task in ('verbatim', 'reset'):
    for length in (1024, 4096):
      for depth in (0.0, 1.0):
        yield Cell(task=task, length=length, depth=depth, examples=2, answers=2, exact=depth / 2,
                   byte_accuracy=0.5, first_byte=0.5, bits_per_byte=1.0, chance_exact=0.001,
                   chance_byte=0.1, chance_bits=3.3, recallable=task != 'reset')


def pairs():
  ways = {'sum': Estimate(0.6789, 0.6, 0.7), 'equal length': None}
  return [Row(phenomenon=name, pairs=4321, identical=0, equal_length=0,
              shares={'model': ways, 'shorter': {'sum': Estimate(0.5151, None, None)}})
          for name in ('vowel_harmony', 'average')]


def write(folder, **changes):
  """Writes a run folder; a keyword names a file (without its ending) and gives other content."""
  folder = pathlib.Path(folder)
  folder.mkdir(parents=True, exist_ok=True)
  run_folder.write_config(folder, CONFIG)
  (folder / run_folder.METRICS).write_text(
      ''.join(json.dumps(row) + '\n' for row in rows()), encoding='utf-8')
  files = {
      'extrapolation': report.to_json(extrapolation()),
      'context': context_report.to_json(context()),
      'recall': recall_report.to_json(tuple(cells()), source='runs/x at step 40', seed=0),
      'turkish': minimal_pairs.to_json(pairs(), source='runs/x at step 40'),
      'compression': code_length.to_json([code_length.Document(
          name='a.txt', bytes=1600, coded={'this model': 300.0, 'xz -9e': 460})],
          'runs/x on a.txt'),
      'new_suite': json.dumps({
          'command': './run //binaries:evaluate --suite=new_suite', 'accuracy': 0.8125,
          'pairs': 1600, 'parts': [1]}),
      **changes}
  for name, text in files.items():
    if text is not None:
      (folder / f'{name}.json').write_text(text, encoding='utf-8')
  sample = {'command': './run //binaries:sample', 'step': 40, 'prompt': 'Once <b>', 'texts': [
      'upon & a time\n```\n'], 'bytes': 15, 'bytes_per_second': 77.0, 'device': 'cpu'}
  (folder / run_folder.SAMPLES).write_text(
      json.dumps({**sample, 'texts': ['an older one']}) + '\n' + json.dumps(sample) + '\n{torn',
      encoding='utf-8')
  return folder


def write_empty(folder):
  """A run that has a config and nothing else."""
  folder = pathlib.Path(folder)
  run_folder.write_config(folder, CONFIG)
  return folder

"""The card of a model: the format of the hubs, and no number that was typed by hand."""

import ast
import json
import pathlib
import re
import tempfile

import jax
import yaml
from absl.testing import absltest, parameterized

from haiku_spectral.evaluation import report as extrapolation_report
from haiku_spectral.reporting import card, citation, measurements, provenance, results
from haiku_spectral.training import run_folder
from tests import docs_pages
from tests.decoding import tiny_model
from tests.reporting import measured_run

SECTIONS = ['Model details', 'Architecture', 'Intended use', 'Training data and curriculum',
            'Performance', 'Limits', 'Bias', 'Safety', 'Citation']


def make(folder, **options):
  return card.make(results.read(folder, measured_run.SOURCES),
                   **{'name': 'a: model', 'licence': 'cc0-1.0', **options})


def split(text):
  """(front matter, Markdown)"""
  _, front, rest = text.split('---\n', 2)
  return yaml.safe_load(front), rest


class CardTest(parameterized.TestCase):

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.place = cls.enterClassContext(tempfile.TemporaryDirectory())
    cls.text = make(measured_run.write(cls.place + '/run'))
    cls.front, cls.body = split(cls.text)

  def test_front_matter(self):
    self.assertEqual(self.front['language'], ['en', 'tr'])
    self.assertEqual((self.front['license'], self.front['pipeline_tag']),
                     ('cc0-1.0', 'text-generation'))
    self.assertEqual(self.front['datasets'], ['first', 'second'])
    (index,) = self.front['model-index']
    self.assertEqual(index['name'], 'a: model')
    metrics = {}
    for result in index['results']:
      self.assertEqual(result.keys(), {'task', 'dataset', 'metrics'})
      for metric in result['metrics']:
        self.assertEqual(metric.keys(), {'type', 'name', 'value'})
        metrics[result['dataset']['type'], metric['name']] = metric['value']
    self.assertEqual(metrics['extrapolation', 'bits per byte, documents from their start'], 2.3456)
    self.assertEqual(metrics['turkish', 'model, sum'], 0.6789)
    self.assertEqual(metrics['recall', 'share of exact answers, verbatim'], 0.25)
    # Baselines are not the model's.
    self.assertNotIn(0.5151, metrics.values())
    self.assertNotIn('reset', str(metrics))

  def test_sections_of_a_card(self):
    self.assertEqual(re.findall('^## (.+)$', self.body, re.MULTILINE), SECTIONS)

  @parameterized.parameters(
      '40,000', '28,000 bytes of which', '| training | finished | first:0.7,second:0.3 |',
      '| 2.3456 | [2.2456, 2.4456] |', 'PPMd order 6, with the whole context | 2.5',
      'whole documents, this model | 1.5000 |', '0.6789',
      '0.5151', 'CC0', '3.9870', '| second | not known | 30.0 % |', '@book{first}',
      '2 steps of the training', 'less than half of the answers exactly', 'verbatim.')
  def test_says(self, text):
    self.assertIn(text, self.body)

  def test_says_how_large_it_is(self):
    size = sum(leaf.size for leaf in jax.tree.leaves(tiny_model.params()))
    self.assertIn(f'| parameters | {size:,} |', self.body)

  def test_tables_are_whole(self):
    blocks = re.findall(r'(?:^\|.*\|\n)+', self.body, re.MULTILINE)
    self.assertGreater(len(blocks), 8)
    for block in blocks:
      widths = {len(re.findall(r'(?<!\\)\|', line)) for line in block.splitlines()}
      self.assertLen(widths, 1, block)

  def test_each_table_of_performance_stands_beside_its_command(self):
    performance = self.body.partition('## Performance')[2].partition('## Limits')[0]
    tables = re.findall(r'\|\n\n(.+)', performance)
    self.assertLen(tables, 5)
    for line in tables:
      self.assertRegex(line, r'^(Measured by|To measure it again:) `\./run //binaries:\w+ .+`$')

  def test_what_is_missing_is_said_and_has_no_number(self):
    front, body = split(make(measured_run.write_empty(self.place + '/empty')))
    self.assertNotIn('model-index', front)
    performance = body.partition('## Performance')[2].partition('## Limits')[0]
    self.assertEqual(performance.count('**Not measured:**'), 1 + len(measurements.SUITES))
    self.assertNotRegex(re.sub('`[^`]*`', '', performance), r'\d')

  def test_a_number_changes_with_its_measurement(self):
    other = measured_run.write(self.place + '/other', extrapolation=extrapolation_report.to_json(
        measured_run.extrapolation(1.7777)))
    text = make(other)
    self.assertIn('1.7777', text)
    self.assertNotIn('2.3456', text)

  def test_no_number_is_typed_by_hand(self):
    """The sentences of the modules that make a card hold no digits."""
    for module in (card, measurements, provenance):
      tree = ast.parse(pathlib.Path(module.__file__).read_text(encoding='utf-8'))
      docstrings = {ast.get_docstring(node, clean=False) for node in ast.walk(tree)
                    if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef))}
      formats = {part.value for node in ast.walk(tree) if isinstance(node, ast.FormattedValue)
                 and node.format_spec for part in node.format_spec.values}
      for node in ast.walk(tree):
        text = getattr(node, 'value', None)
        if isinstance(node, ast.Constant) and isinstance(text, str) and (
            text not in docstrings | formats):
          self.assertNotRegex(text, r'\d', f'{module.__name__}:{node.lineno}')

  def test_a_damaged_measurement_gives_no_number(self):
    folder = measured_run.write(self.place + '/damaged', extrapolation='{"factors": []}')
    front, body = split(make(folder))
    self.assertNotIn('extrapolation', str(front['model-index']))
    self.assertIn('the loss on held-out documents, and what their far context saves. To measure',
                  body)

  def test_a_loss_that_is_not_finite_and_a_prompt_of_nothing(self):
    folder = measured_run.write(self.place + '/diverged')
    path = folder / 'samples.jsonl'
    sample = json.loads(path.read_text().splitlines()[0])
    path.write_text(json.dumps({**sample, 'prompt': ''}) + '\n')
    with (folder / run_folder.METRICS).open('a') as file:
      file.write(json.dumps({'step': 50, 'kind': 'heldout', 'bits_per_byte': None}) + '\n')
    self.assertIn('bits per byte at step 40', make(folder))

  def test_a_licence_that_nobody_chose(self):
    folder = measured_run.write_empty(self.place + '/none')
    self.assertIn('not chosen by whoever made this card', make(folder, licence=card.UNKNOWN))


class CitationTest(absltest.TestCase):

  def test_the_file_is_valid(self):
    about = yaml.safe_load(docs_pages.read('CITATION.cff'))
    self.assertContainsSubset({'cff-version', 'message', 'title', 'authors'}, about)
    self.assertEqual(about['cff-version'], '1.2.0')
    for author in about['authors']:
      self.assertTrue(author.keys() & {'name', 'family-names'})
    self.assertIn(about['type'], ('software', 'dataset'))

  def test_bibtex(self):
    self.assertRegex(citation.bibtex(), r'(?s)^@software\{haiku_spectral,\n.*license = \{Apache')


if __name__ == '__main__':
  absltest.main()

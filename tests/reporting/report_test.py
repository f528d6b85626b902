"""The report of a run: complete, self-contained, valid, and honest about what is missing."""

import html.parser
import re
import tempfile

import html5lib
from absl.testing import absltest, parameterized

from haiku_spectral.reporting import html as html_form
from haiku_spectral.reporting import markdown, report, results
from haiku_spectral.reporting.document import Chart, Document, Line, Missing, Section, Table
from tests.reporting import measured_run


def make(folder, sources=measured_run.SOURCES):
  return report.make(results.read(folder, sources))


class Text(html.parser.HTMLParser):
  """The text of a page without its style, and its attributes."""

  def __init__(self, page):
    super().__init__()
    self.text, self.attributes, self._tags = '', [], ['']
    self.feed(page)

  def handle_starttag(self, tag, attrs):
    self.attributes += [(tag, *pair) for pair in attrs]
    self._tags.append(tag)

  def handle_data(self, data):
    self.text += '' if self._tags[-1] == 'style' else data


class ReportTest(parameterized.TestCase):

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    folder = cls.enterClassContext(tempfile.TemporaryDirectory())
    cls.folder = measured_run.write(folder + '/run')
    (cls.folder / 'new_suite.png').write_bytes(b'\x89PNG picture')
    cls.document = make(cls.folder)
    cls.page = html_form.render(cls.document)
    cls.markdown = markdown.render(cls.document)
    cls.empty = make(measured_run.write_empty(folder + '/empty'))

  def test_html_is_valid(self):
    for document in (self.document, self.empty):
      html5lib.HTMLParser(strict=True).parse(html_form.render(document))

  def test_the_check_of_html(self):
    with self.assertRaises(html5lib.html5parser.ParseError):
      html5lib.HTMLParser(strict=True).parse(self.page.replace('</section>', '', 1))

  def test_html_needs_no_other_file(self):
    self.assertNotRegex(self.page, r'<(script|link|iframe|object)\b|@import|url\(')
    for tag, name, value in Text(self.page).attributes:
      if name in ('src', 'href', 'srcset', 'data', 'action'):
        self.assertRegex(value, r'^(#|data:image/png;base64,)', tag)

  def test_ids_are_there_once_and_links_lead_to_them(self):
    attributes = Text(self.page).attributes
    ids = [value for _, name, value in attributes if name == 'id']
    self.assertLen(set(ids), len(ids))
    self.assertContainsSubset(
        {value[1:] for _, name, value in attributes if name == 'href'}, ids)

  @parameterized.parameters(
      '2.346',  # bits_per_byte of extrapolation
      '3.987', '0.0642', '4.440', '3.330', '1234', '1,234', '5.5 GFLOP/s', '0.8125', '1,600',
      '28,000', '7,001', 'CC0', 'not known', '4 x not <UTF-8>', 'Text & more. On two lines.',
      'upon & a time', '1.500', '2.300', '--suite=new_suite', 'vowel_harmony', '0.679', '0.515',
      '4,321', 'config.data.segment', 'zpaq -m5 is not installed',
      '2 steps not applied', '43.2 % of the peak', '4.9 %', '95.1 %',
      'was measured at step 30; the run is at step 40', 'it is not built')
  def test_says(self, text):
    shown = Text(self.page).text + ''.join(
        str(value) for _, _, value in Text(self.page).attributes)
    if text == '3.987':  # A point of a curve.
      self.assertIn('held out, windows of a segment: 3.987 at 40', shown)
    elif text == '1234':
      self.assertIn('speed: 1234 at 40', shown)
    else:
      self.assertIn(text, shown)
      self.assertIn(text, self.markdown)

  def test_only_the_latest_sample_of_a_prompt(self):
    self.assertNotIn('an older one', self.page)
    self.assertIn('````text\nOnce <b>upon', self.markdown)  # Its own back quotes end nothing.

  def test_text_of_others_changes_no_markup(self):
    self.assertIn('Once &lt;b&gt;', self.page)
    self.assertNotIn('<b>upon', self.page)

  def test_a_chart_of_which_nothing_is_known(self):
    chart = Chart('Loss', 'step', 'bits per byte', [Line('training', [], [])])
    page = html_form.render(Document('t', '', [Section('Training', [chart])]))
    html5lib.HTMLParser(strict=True).parse(page)
    self.assertIn('No value known.', Text(page).text)

  def test_cells_are_shown_as_they_are(self):
    table = Table(['field', 'value'], [['class=number', '3'], ['x', '4']])
    page = html_form.render(Document('t', '', [Section('Config', [table])]))
    self.assertIn('<td>class=number</td><td class="number">3</td>', page)

  def test_light_and_dark(self):
    self.assertIn('prefers-color-scheme: dark', self.page)
    colours = re.findall(r'var\((--[a-z0-9-]+)', self.page)
    for block in re.findall(r':root \{(.*?)\}', self.page, re.DOTALL):
      self.assertContainsSubset(set(colours) - {'--share'}, re.findall(r'(--[a-z0-9-]+):', block))

  def test_what_is_missing_is_said_with_its_command(self):
    missing = [block for section in self.empty.sections for block in section.blocks
               if isinstance(block, Missing)]
    page, text = html_form.render(self.empty), markdown.render(self.empty)
    self.assertGreaterEqual(len(missing), 7)
    for block in missing:
      self.assertRegex(block.command, r'^\./run //binaries:\w+ ')
      self.assertIn(block.what, Text(page).text)
      self.assertIn(f'`{block.command}`', text)
    last = self.empty.sections[-1]
    self.assertEqual(last.title, 'Skipped and missing')
    self.assertIn('recall of facts', markdown.section(last))

  @parameterized.parameters(
      ('{}', 'KeyError'), ('{"factors": 3, "bits_per_byte": {}}', 'Cannot be shown'),
      ('[1]', 'cannot be read: it is no JSON object'), ('{', 'extrapolation.json'),
      ('{"a": NaN}', 'NaN is not a JSON number'))
  def test_a_damaged_measurement_costs_its_section_alone(self, text, message):
    folder = measured_run.write(self.create_tempdir().full_path, extrapolation=text)
    shown = markdown.render(make(folder))
    self.assertIn(message, shown)
    self.assertIn('PPMd order 6', shown)
    self.assertIn('upon & a time', shown)

  def test_a_folder_that_is_no_run(self):
    with self.assertRaisesRegex(FileNotFoundError, 'is not the folder of a run'):
      results.read(self.create_tempdir().full_path, ())


if __name__ == '__main__':
  absltest.main()

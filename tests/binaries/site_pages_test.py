"""The pages of the site: every link leads to a page, and every page is in the navigation."""

import pathlib
import posixpath
import re

from absl.testing import absltest, parameterized

from binaries import site_pages
from tests import docs_pages


def nav_places(nav):
  for entry in nav:
    if isinstance(entry, str):
      yield entry
    else:
      for below in entry.values():
        yield from nav_places(below if isinstance(below, list) else [below])


class RepositoryTest(absltest.TestCase):

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.site = site_pages.make(docs_pages.ROOT)

  def test_links_lead_to_pages(self):
    there = {*self.site.pages, *self.site.copied}
    count = 0
    for name, text in self.site.pages.items():
      if name.endswith('.md.md') or '\n::: ' in text:
        continue
      prose = re.sub(r'(?ms)^```.*?^```$|`[^`\n]*`', '', text)
      for link in docs_pages.links(prose):
        target = link.partition('#')[0]
        if target:
          place = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
          self.assertIn(place, there, f'{name}: {link}')
          count += 1
    self.assertGreater(count, 50)

  def test_navigation_has_every_page_once(self):
    places = list(nav_places(self.site.nav))
    self.assertLen(set(places), len(places))
    self.assertContainsSubset(places, self.site.pages)
    for name in ('index.md', 'BUILD.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'docs/design.md',
                 'datasets/starter/about.md', 'haiku_spectral/ops/fft_conv.md',
                 'haiku_spectral/ops/index.md', 'binaries/train.md'):
      self.assertIn(name, places)

  def test_every_page_begins_with_a_title(self):
    for name, text in self.site.pages.items():
      self.assertStartsWith(text, '# ', name)


class SmallTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.root = pathlib.Path(self.create_tempdir().full_path)
    for name, text in {
        'README.md': '# Home\n[a](docs/a.md#x) [m](haiku_spectral/m.py) [l](LICENSE) '
                     '[p](docs/p.png)\n`[no](none)`\n```text\n[no](none)\n```\n[web](https://x.org)',
        'BUILD.md': '# B\n', 'CONTRIBUTING.md': '# C\n', 'CHANGELOG.md': '# D\n',
        'docs/a.md': '# A\n[home](../README.md) [d](../datasets/one) [t](t.py)',
        'docs/t.py': 'x = 1\n', 'docs/p.png': '', 'LICENSE': 'a ``` b',
        'datasets/one/README.md': 'No title.',
        'datasets/__init__.py': '', 'haiku_spectral/__init__.py': '', 'haiku_spectral/m.py': '',
    }.items():
      path = self.root / name
      path.parent.mkdir(parents=True, exist_ok=True)
      path.write_text(text, encoding='utf-8')

  def test_links_are_those_of_the_site(self):
    site = site_pages.make(self.root)
    home = site.pages['index.md']
    for link in ('[a](docs/a.md#x)', '[m](haiku_spectral/m.md)', '[l](LICENSE.md)',
                 '[p](docs/p.png)', '`[no](none)`', '```text\n[no](none)', '(https://x.org)'):
      self.assertIn(link, home)
    self.assertEqual(site.pages['docs/a.md'],
                     '# A\n[home](../index.md) [d](../datasets/one/about.md) [t](t.py.md)')
    self.assertEqual(site.pages['datasets/one/about.md'], '# one\n\nNo title.')
    self.assertIn('````text\na ``` b\n````', site.pages['LICENSE.md'])
    self.assertIn('::: haiku_spectral.m\n', site.pages['haiku_spectral/m.md'])
    self.assertEqual(site.copied, ('docs/p.png',))

  def test_a_link_to_nothing_is_an_error(self):
    (self.root / 'BUILD.md').write_text('# B\n[x](gone.md)', encoding='utf-8')
    with self.assertRaisesRegex(ValueError, 'BUILD.md links to gone.md, and gone.md is no file'):
      site_pages.make(self.root)

  def test_what_was_in_the_folder_is_gone(self):
    folder = self.root / 'out'
    (folder / 'old').mkdir(parents=True)
    site_pages.write(site_pages.make(self.root), self.root, folder)
    self.assertFalse((folder / 'old').exists())
    self.assertTrue((folder / 'docs/p.png').is_file())


if __name__ == '__main__':
  absltest.main()

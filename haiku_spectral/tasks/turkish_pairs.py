"""Pairs of Turkish sentences made by rule: one is right, the other breaks one rule of the grammar.

Each phenomenon is a function from a stem to all its contrasts. A word that is wrong for its rule
may be another word by accident (mum and the dative's y give mumya, a mummy): such pairs are left
out, as far as the lexicon knows the other word.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from haiku_spectral.evaluation.minimal_pairs.pair import Pair
from haiku_spectral.tasks.turkish_lexicon import KNOWN, PEOPLE, SOFTENING, VERBS, soften
from haiku_spectral.tasks.turkish_operators import OPEN, SUFFIXES, attach, build, follows, spell
from haiku_spectral.tasks.turkish_stems import STEMS

# A sentence around a word, by the word's last suffix ('' for none).
_FRAMES = {
    '': ('İşte {}.', 'Burada bir {} var.'),
    'derived': ('İşte bir {}.', 'Bu da bir {}.'),
    'pl': ('İşte {}.', 'Bütün {} burada.'),
    'owner': ('İşte {}.', 'Nerede {}?'),
    'acc': ('Dün {} gördük.', 'Kimse {} unutmadı.'),
    'dat': ('Herkes {} baktı.', 'Sonunda {} geldik.'),
    'loc': ('Bunu {} bulduk.', 'Her şey {} başladı.'),
    'abl': ('Bize {} söz ettiler.', 'Bu ses {} geliyor.'),
    'gen': ('Ben {} adını unuttum.', 'Bu {} rengi güzel.'),
    'copula': ('O zaman {}.', 'Gördüğüm {}.'),
}
_KINDS = {'ci': 'derived', 'lik': 'derived', 'siz': 'derived', 'li': 'derived', 'pst': 'copula',
          'evd': 'copula', **{f'p{number}': 'owner' for number in range(1, 6)}}
_PRONOUNS = {'p1': 'benim', 'p2': 'senin', 'p3': 'onun', 'p4': 'bizim', 'p5': 'sizin'}
_CASES = ('acc', 'dat', 'loc', 'abl')
_FRONT_OR_BACK = str.maketrans('aeıioöuü', 'eaiıöoüu')
_ROUND_OR_NOT = str.maketrans('aeıioöuü', 'oöuüaeıi')
_BOTH = str.maketrans('aeıioöuü', 'öoüueaiı')
_WRONG_VOWELS = _FRONT_OR_BACK, _ROUND_OR_NOT, _BOTH


class Contrast(NamedTuple):
  """Two sentences, and the words in which they differ."""

  good: str
  bad: str
  wrong: str  # The word that must be none.


def _in_frames(good: str, bad: str, last: str, before: str = '') -> Iterator[Contrast]:
  """The sentences with both words; `before` is a word in front of them."""
  for frame in _FRAMES[_KINDS.get(last, last)]:
    filled = frame.replace('{}', f'{before} {{}}' if before else '{}')
    yield Contrast(filled.format(good), filled.format(bad), bad)


def _wrongly(stem: str, names: Sequence[str]) -> str:
  """The suffixes in any order, each by rule for the word before it."""
  word, previous = stem, None
  for name in names:
    word, previous = attach(word, previous, name), name
  return word


def _right(stem: str, names: Sequence[str]) -> str:
  return build(stem, ''.join(f'+{name}' for name in names))


def vowel_harmony(stem: str) -> Iterator[Contrast]:
  """evler, not evlar; evin, not evün: suffixes as if the stem had another last vowel."""
  chains = ('pl', 'loc', 'abl', 'gen', 'li', 'siz', 'lik', 'ci', 'pl p1', 'pl loc', 'pl p4 abl',
            'p4 dat', 'p3 loc', 'p1 abl', 'p5 acc', 'pl p3 dat')
  place = max(map(stem.rfind, OPEN))
  for chain in chains:
    names = chain.split()
    good = _right(stem, names)
    for table in _WRONG_VOWELS:
      other = stem[:place] + stem[place].translate(table) + stem[place + 1:]
      bad = stem + _right(other, names)[len(stem):]
      if good != bad:
        yield from _in_frames(good, bad, names[-1])


def consonant_mutation(stem: str) -> Iterator[Contrast]:
  """kitabı, not kitapı; ipi, not ibi; sütte, not sütde; evde, not evte."""
  if stem in SOFTENING:
    for name in ('p1', 'p3', 'p4', 'acc', 'dat', 'gen'):
      yield from _in_frames(attach(soften(stem), None, name), attach(stem, None, name), name)
  elif stem[-1] in 'pçt' or (stem[-2:-1] in OPEN and stem[-1] == 'k'):
    for name in ('p1', 'p3', 'p4', 'acc', 'dat', 'gen'):
      yield from _in_frames(attach(stem, None, name), attach(soften(stem), None, name), name)
  others = {'d': 't', 't': 'd', 'c': 'ç', 'ç': 'c'}
  for name in ('loc', 'abl', 'ci', 'pst'):
    good = attach(stem, None, name)
    place = len(stem)
    if good[place] in others:
      bad = stem + others[good[place]] + good[place + 1:]
      yield from _in_frames(good, bad, name)


def suffix_order(stem: str) -> Iterator[Contrast]:
  """evlerimde, not evimlerde: number, possessive, case and copula have their places."""
  orders = [('ci pl', 'pl ci'), ('lik pl', 'pl lik')]
  for owner in ('p1', 'p2', 'p4', 'p5'):
    for case in _CASES:
      if stem not in PEOPLE:
        orders.append((f'pl {owner} {case}', f'{owner} pl {case}'))
      orders.append((f'pl {owner} {case}', f'{case} pl {owner}'))
    orders.append((f'{owner} loc pst', f'{owner} pst loc'))
  for right, wrong in orders:
    last = right.split()[-1]
    yield from _in_frames(_right(stem, right.split()), _wrongly(stem, wrong.split()), last)


def case_after_possessive(stem: str) -> Iterator[Contrast]:
  """evinde, not evide: a case behind the third person's possessive has an n."""
  for before in ('p3', 'pl p3'):
    owned = _right(stem, before.split())
    for case in _CASES:
      yield from _in_frames(attach(owned, 'p3', case), attach(owned, None, case), case)


def possessive_agreement(stem: str) -> Iterator[Contrast]:
  """benim evimde, not benim evinizde: the possessive agrees with its pronoun."""
  for case in _CASES:
    words = {owner: _right(stem, (owner, case)) for owner in _PRONOUNS}
    for owner, pronoun in _PRONOUNS.items():
      for word in sorted(set(words.values()) - {words[owner]}):
        for contrast in _in_frames(words[owner], word, case, before=pronoun):
          yield contrast._replace(wrong='')  # It is a word, but wrong behind this pronoun.


def question_particle(stem: str) -> Iterator[Contrast]:
  """Evde mi, not Evde mı, nor Evdemi: it harmonises, and stands alone."""
  for chain in ('', 'loc', 'abl', 'p1', 'p4', 'p1 loc', 'p4 loc', 'pl loc', 'p4 abl'):
    word = _right(stem, chain.split())
    particle = spell(word, ' mI')[len(word) + 1:]
    for frame in ('O {}?', 'Aradığın {}?'):
      good = frame.format(f'{word} {particle}')
      for table in _WRONG_VOWELS:
        vowel = particle[-1].translate(table)
        yield Contrast(good, frame.format(f'{word} m{vowel}'), '')
      if chain.endswith(('loc', 'abl')):
        yield Contrast(good, frame.format(word + particle), word + particle)


def buffer_letters(stem: str) -> Iterator[Contrast]:
  """arabayı, not arabaı; evi, not evyi: they keep vowels from vowels, each in its suffix."""
  if stem[-1] in OPEN:
    for name in ('p3', 'acc', 'dat', 'gen'):
      yield from _in_frames(attach(stem, None, name), spell(stem, SUFFIXES[name][2]), name)
    for name in ('p4', 'p5'):
      yield from _in_frames(attach(stem, None, name), spell(stem, 'I' + SUFFIXES[name][2]), name)
    yield from _in_frames(attach(stem, None, 'gen'), spell(stem, 'yIn'), 'gen')
    return
  for name in ('acc', 'gen', 'pst', 'evd'):
    _, buffer, template = SUFFIXES[name]
    yield from _in_frames(attach(stem, None, name), spell(stem, buffer + template), name)
  for name in ('p4', 'p5'):
    yield from _in_frames(attach(stem, None, name), spell(stem, SUFFIXES[name][2]), name)


def negation(verb: str) -> Iterator[Contrast]:
  """Hiç kimse gelmedi, not geldi; gelmedi, not geldime; gelmem, not gelmezim."""
  for good, bad in _tenses(verb):
    for frame in ('Hiç kimse {}.', 'Hiçbiri {}.', 'O hiçbir zaman {}.', 'Asla {}.'):
      yield Contrast(frame.format(good), frame.format(bad), '')
  denied = spell(verb, 'mA')
  yield Contrast(f'Sakın {denied}!', f'Sakın {verb}!', '')
  wrong = [(spell(denied, 'm'), spell(denied, 'zIm'), 'Ben'),
           (spell(denied, 'yIz'), spell(denied, 'zIz'), 'Biz'),
           (spell(verb, 'mIyor'), spell(denied, 'yor'), 'O')]
  for positive, tense in zip((bad for _, bad in _tenses(verb)), ('DI', 'mIş', 'yAcAk', 'yor'),
                             strict=True):
    good = spell(verb, 'mIyor') if tense == 'yor' else spell(denied, tense)
    wrong.append((good, spell(positive, 'mA'), 'O'))
    twice = spell(denied, 'mIyor') if tense == 'yor' else spell(denied, 'mA' + tense)
    wrong.append((good, twice, 'O'))
  for good, bad, subject in wrong:
    for frame in ('{} bugün {}.', '{} oraya gidince {}.'):
      yield Contrast(frame.format(subject, good), frame.format(subject, bad), bad)


def _tenses(verb: str) -> list[tuple[str, str]]:
  """Past, evidential, future and progressive: denied, and not."""
  buffer, denied = 'y' if verb[-1] in OPEN else '', spell(verb, 'mA')
  stem = verb[:-1] if verb[-1] in OPEN else verb  # The vowel gives way to that of -Iyor.
  return [(spell(denied, 'DI'), spell(verb, 'DI')), (spell(denied, 'mIş'), spell(verb, 'mIş')),
          (spell(denied, 'yAcAk'), spell(verb, buffer + 'AcAk')),
          (spell(verb, 'mIyor'), spell(stem, 'Iyor'))]


class Phenomenon(NamedTuple):
  """Contrasts of one rule, and the stems that have some."""

  contrasts: Callable[[str], Iterator[Contrast]]
  stems: tuple[str, ...] = STEMS


PHENOMENA = {
    'vowel_harmony': Phenomenon(vowel_harmony),
    'consonant_mutation': Phenomenon(consonant_mutation, (*STEMS, *SOFTENING * 4)),
    'suffix_order': Phenomenon(suffix_order),
    'case_after_possessive': Phenomenon(case_after_possessive),
    'possessive_agreement': Phenomenon(possessive_agreement),
    'question_particle': Phenomenon(question_particle),
    'buffer_letters': Phenomenon(buffer_letters),
    'negation': Phenomenon(negation, VERBS),
}


def make(count: int, seed: int = 0) -> list[Pair]:
  """`count` different pairs of each phenomenon, a function of the seed."""
  return [pair for number, name in enumerate(PHENOMENA)
          for pair in _draw(name, count, np.random.default_rng((seed, number)))]


def _draw(name: str, count: int, rng: np.random.Generator) -> list[Pair]:
  """Draws a stem, then one of its contrasts, until there are enough."""
  contrasts, stems = PHENOMENA[name]
  found: dict[Pair, None] = {}
  while len(found) < count:
    choices = list(contrasts(stems[rng.integers(len(stems))]))
    if choices:
      good, bad, wrong = choices[rng.integers(len(choices))]
      if not is_word(wrong):
        found[Pair(name, good.encode(), bad.encode())] = None
  return list(found)


def is_word(word: str) -> bool:
  """Whether the rules make a word of the lexicon, or a word with an accidental meaning."""
  return any(word[:end] in KNOWN and _reaches(word[:end], None, word)
             for end in range(1, len(word) + 1))


def _reaches(begun: str, previous: str | None, word: str) -> bool:
  """Whether suffixes can make a word of one that was begun."""
  if begun == word:
    return True
  return any(_reaches(longer, name, word)
             for name in SUFFIXES if follows(previous, name)
             for longer in [attach(begun, previous, name)]
             # The last letter may still soften.
             if len(longer) <= len(word) and word.startswith(longer[:-1]))

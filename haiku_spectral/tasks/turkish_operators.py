"""Turkish suffixes as operators: a word and a suffix give a longer word.

The sandbox runs the text of this file, so it imports nothing. Each suffix is a buffer and a
template. Small letters stand for themselves, capitals for what the word decides:

    A  a or e             by the last vowel
    I  ı, i, u or ü       by the last vowel
    D  d or t             by the last letter
    C  c or ç             by the last letter

A buffer keeps vowels from vowels and consonants from consonants: it is there only where its kind
differs from that of the last letter.
"""

OPEN = dict(zip('aıoueiöü', 'aaaaeeee', strict=True))  # What A is after each vowel.
CLOSE = dict(zip('aıoueiöü', 'ııuuiiüü', strict=True))  # What I is.
VOICELESS = 'çfhkpsşt'
HARD = {'D': 't', 'C': 'ç'}  # After a voiceless letter.

DERIVED, NUMBER, OWNER, CASE, COPULA = range(5)  # The slots of a word, in their order.

SUFFIXES = {  # name: (slot, buffer, template)
  'ci': (DERIVED, '', 'CI'),  # who deals with it
  'lik': (DERIVED, '', 'lIk'),  # what it is to be it
  'siz': (DERIVED, '', 'sIz'),  # without
  'li': (DERIVED, '', 'lI'),  # with
  'pl': (NUMBER, '', 'lAr'),  # several
  'p1': (OWNER, 'I', 'm'),  # my
  'p2': (OWNER, 'I', 'n'),  # your
  'p3': (OWNER, 's', 'I'),  # its
  'p4': (OWNER, 'I', 'mIz'),  # our
  'p5': (OWNER, 'I', 'nIz'),  # your, of several
  'acc': (CASE, 'y', 'I'),  # whom
  'dat': (CASE, 'y', 'A'),  # whereto
  'loc': (CASE, '', 'DA'),  # where
  'abl': (CASE, '', 'DAn'),  # wherefrom
  'gen': (CASE, 'n', 'In'),  # whose
  'pst': (COPULA, 'y', 'DI'),  # was
  'evd': (COPULA, 'y', 'mIş'),  # is said to be
}


def build_words(stems, programs):
  """Returns the words of programs, one for each stem."""
  return [build(stem, program) for stem, program in zip(stems, programs, strict=True)]


def build_steps(stems, programs):
  """The same for programs that spell each suffix before its name, as in 'ler+pl im+p1'."""
  return [build(stem, plain(stem, program))
          for stem, program in zip(stems, programs, strict=True)]


def plain(stem, program):
  """A program without its spellings. Raises ValueError for a spelling that is wrong."""
  word, previous, names = stem, None, ''
  for step in program.split(' '):
    spelled, name = step.split('+')
    if not follows(previous, name):
      raise ValueError(f'{name} does not follow {previous}')
    if spelled != spelling(word, previous, name):
      raise ValueError(f'{name} is not spelled {spelled}')
    word, previous, names = attach(word, previous, name), name, names + '+' + name
  return names


def spelling(word, previous, name):
  """The letters that a suffix adds to a word."""
  return attach(word, previous, name)[len(word):]


def build(stem, program):
  """Returns the word of a program: build('ev', '+pl+p1+loc') is 'evlerimde'."""
  word, previous = stem, None
  for name in program.split('+')[1:]:
    if not follows(previous, name):
      raise ValueError(f'{name} does not follow {previous}')
    word, previous = attach(word, previous, name), name
  return word


def follows(previous, name):
  """Whether a suffix may stand after another, or after a stem (None).

  Slots are filled in their order and once; words may be derived from derived ones. No copula stands
  behind acc.
  """
  if previous is None:
    return True
  before, after = SUFFIXES[previous][0], SUFFIXES[name][0]
  if before == after == DERIVED:
    return previous != name
  return before < after and previous != 'acc'


def attach(word, previous, name):
  """Adds a suffix to a word whose last suffix is `previous` (None for a stem).

  Cases after p3 have the buffer n; the k of lik is ğ before a vowel.
  """
  slot, buffer, template = SUFFIXES[name]
  if previous == 'p3' and slot == CASE:
    buffer = 'n'
  if (buffer == 'I') != (word[-1] in OPEN):
    template = buffer + template
  if previous == 'lik' and template[0] in 'AI':
    word = word[:-1] + 'ğ'
  return spell(word, template)


def spell(word, template):
  """Adds the letters of a template to a word."""
  for sign in template:
    word += letter(word, sign)
  return word


def letter(word, sign):
  """What a letter of a template is after a word."""
  if sign in 'AI':
    last = next(character for character in reversed(word) if character in OPEN)
    return (OPEN if sign == 'A' else CLOSE)[last]
  if sign in 'DC':
    return HARD[sign] if word[-1] in VOICELESS else sign.lower()
  return sign

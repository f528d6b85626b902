"""A machine that adds two numbers by columns that have names, step by step.

The sandbox runs the text of this file, so it imports nothing. Columns are named by letters in
their order, the last digits' first; after Z comes A. A step is the name and the digit of the first
number, both of the second, and the result: the digit of the sum, or its letter from a (0) to j (9)
where the column carries. A last carry is a 1 behind all steps: 347 + 589 from P on is
P7p9gQ4q8dR3r59.
"""

NAMES = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
RESULTS = '0123456789abcdefghij'
STEP = 5  # Characters.


def add(a, b, first, program):
  """Returns the number that a program spells, or raises ValueError at its first wrong column.

  `first` is the place of the first name in NAMES.
  """
  total, unit, carry = 0, 1, 0
  while len(program) >= STEP:
    name = NAMES[first % len(NAMES)]
    if unit > 1 and not a and not b:
      raise ValueError(f'nothing is left to add at column {name}')
    column = a % 10 + b % 10 + carry
    if program[:STEP] != f'{name}{a % 10}{name.lower()}{b % 10}{RESULTS[column]}':
      raise ValueError(f'column {name} is not {program[:STEP]}')
    carry, digit = divmod(column, 10)
    total += unit * digit
    a, b, first, unit, program = a // 10, b // 10, first + 1, 10 * unit, program[STEP:]
  if a or b:
    raise ValueError(f'column {NAMES[first % len(NAMES)]} is missing')
  if program != '1' * carry:
    raise ValueError('the last carry is wrong')
  return total + unit * carry

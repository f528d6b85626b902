"""A machine that adds two numbers by columns that have names, step by step.

The sandbox runs the text of this file, so it imports nothing. A step is the name and the digit of
the first number, both of the second, and the result: the digit of the sum, or its letter from a (0)
to j (9) where the column carries. Steps begin with the last digits; + says that there are no more
columns. With the names P, C and X, 347 + 589 is P7p9gC4c8dX3x59+.
"""

NAMES = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
RESULTS = '0123456789abcdefghij'
END = '+'
STEP = 5  # Characters.


def add(a, b, names, program):
  """Returns the number that a program spells, or raises ValueError at its first wrong column."""
  total, unit, carry = 0, 1, 0
  for place, name in enumerate(names):
    column, step = a % 10 + b % 10 + carry, program[place * STEP:][:STEP]
    if step != f'{name}{a % 10}{name.lower()}{b % 10}{RESULTS[column]}':
      raise ValueError(f'column {name} is not {step!r}')
    carry, digit = divmod(column, 10)
    total += unit * digit
    a, b, unit = a // 10, b // 10, 10 * unit
  if program[len(names) * STEP:] != END:
    raise ValueError(f'{END} is missing behind the last column')
  return total + unit * carry

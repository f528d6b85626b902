"""A machine that adds two numbers by columns, the way it is done on paper.

The sandbox runs the text of this file, so it imports nothing. A program is the digits of the
sum, the last one first, and a c after each digit whose column carries: for 347 + 589 it is 6c3c9.
"""


def add(a, b, program):
  """Returns the number that a program spells, or raises ValueError at its first wrong column."""
  total, unit, carry = 0, 1, 0
  for digit, mark in zip(program, program[1:] + ' ', strict=True):
    if digit == 'c':
      continue
    if unit > 1 and not a and not b and not carry:
      raise ValueError(f'nothing is left to add at the column of {unit}')
    column, carried = a % 10 + b % 10 + carry, int(mark == 'c')
    if column != int(digit) + 10 * carried:
      raise ValueError(f'the column of {unit} is {column}, not {digit} with a carry of {carried}')
    total += unit * int(digit)
    a, b, carry, unit = a // 10, b // 10, carried, 10 * unit
  if a or b or carry:
    raise ValueError(f'the column of {unit} is missing')
  return total

"""At the host that reads the value: texts that keep it busy, and values that are not what they say.

Each of these writes its answer past the interpreter, and is to be refused as a value.
"""

import os

MODULUS = 2**61 - 1  # Of the hashes of numbers.


def _answer(*parts):
  """Writes all of it: the byte that says that a value follows, and its text."""
  rest = memoryview(b'V' + ''.join(parts).encode('ascii'))
  while rest:
    rest = rest[os.write(3, rest[:65536]):]
  os._exit(0)


def _many(members, opening='set(', closing=')'):
  _answer(opening, *(f'{member},' for member in members), closing)


def digits_without_end(world):
  _answer('1' * (512 << 10))


def digits_in_a_list(world):
  _answer('[', '1' * (512 << 10), ',]')


def digits_of_a_float(world):
  _answer('1' * (256 << 10), '.', '1' * (256 << 10))


def digits_of_an_exponent(world):
  _answer('1e-', '0' * (512 << 10))


def hexadecimal_digits(world):
  _answer('0x', 'f' * (4 << 20 - 1))


def signs(world):
  _answer('-' * (2 << 20))


def commas(world):
  _answer('[', ',' * (2 << 20), ']')


def brackets(world):
  _answer('[' * (2 << 20))


def lists_of_lists(world):
  _answer('[', '[],' * (1 << 20), ']')


def items(world):
  _answer('[', '0,' * (1 << 20), ']')


def keys(world):
  _answer('{', *(f'{number}:0,' for number in range(1 << 17)), '}')


def text_that_does_not_end(world):
  _answer("'", '\\n' * (1 << 20))


def text_of_wrong_escapes(world):
  _answer("'", '\\x0' * (1 << 20), "'")


def numbers_that_are_members(world):
  _many(range(11_000))


def numbers_that_collide(world):
  _many(f'{number * MODULUS:#x}' for number in range(60_000))


def numbers_of_64_bits_that_collide(world):
  _many((number % 4 * MODULUS + number // 4 for number in range(8_000)), '{', '}')


def a_key_beyond_64_bits(world):
  _answer('{0x1', '0' * 16, ':0,}')


def complex_numbers_that_collide(world):
  _many(f'complex({2.0**50 - 1000003 * number},{float(number)},)' for number in range(10_000))


def floats_that_collide(world):
  _many(repr(float(number) * 2.0**61) for number in range(8_000))


def _colliding(number):
  return ''.join(f'{(number >> 2 * digit & 3) * MODULUS + digit},' for digit in range(6))


def tuples_that_collide(world):
  _many(f'({_colliding(number)})' for number in range(2_000))


def nested_tuples_that_collide(world):
  _many(f'({"(" * 20}{_colliding(number)}{")," * 20})' for number in range(600))


def sets_that_collide(world):
  _many(f'frozenset({_colliding(number)})' for number in range(2_000))


def tuples_of_long_text(world):
  text = "'" + 'x' * 2000 + "',"
  _many(f'({text}{_colliding(number)})' for number in range(1_500))


def code(world):
  _answer('__import__("os").system("true")')


def an_object(world):
  _answer('object()')


def a_set_of_lists(world):
  _answer('set([],)')


def a_number_split_in_two(world):
  _answer('[0x', 'f' * 40_000, ',]')


def names_of_files_that_are_no_text(world):
  _answer('{', '(' * 70, ')' * 70, ':1,}')


def an_error_of_great_length(world):
  os.write(3, b'E' + b'x' * 65527)
  os._exit(0)


def an_error_of_control_sequences(world):
  os.write(3, b'E' + b'\x1b[2J\xff' * 6000)
  os._exit(0)

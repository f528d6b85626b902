"""Python expressions of x in one form, so that the same answer spelled twice is known as one.

Spaces, brackets, quotes and the names of bound variables do not count. Only what a composition of
functions needs is allowed, and nothing that pads one: no tuples to pick from, no conditions that
always hold, no names but x, the bound ones and a few functions.
"""

import ast
import warnings
from collections.abc import Mapping

FUNCTIONS = ('bool', 'enumerate', 'filter', 'int', 'len', 'list', 'map', 'max', 'min', 'range',
             'reversed', 'set', 'sorted', 'str', 'sum', 'zip')
_ALLOWED = (
    ast.Expression, ast.Constant, ast.Name, ast.Call, ast.keyword, ast.Attribute, ast.Subscript,
    ast.Slice, ast.List, ast.Set, ast.Starred, ast.ListComp, ast.SetComp, ast.GeneratorExp,
    ast.comprehension, ast.Lambda, ast.arguments, ast.arg, ast.BinOp, ast.UnaryOp, ast.Compare,
    ast.expr_context, ast.Add, ast.Sub, ast.Mult, ast.Mod, ast.FloorDiv, ast.USub, ast.Not,
    ast.cmpop)
_CONSTANTS = bool, int, str
_COMPREHENSIONS = ast.ListComp, ast.SetComp, ast.GeneratorExp


def canonical(text: str) -> str:
  """The expression with one spelling. Raises ValueError for what is not allowed in one."""
  try:
    with warnings.catch_warnings():
      warnings.simplefilter('ignore')  # Of the parser, on what a model generated.
      tree = ast.parse(text, mode='eval')
    for node in ast.walk(tree):
      _check(node)
    _rename(tree.body, dict.fromkeys(('x', *FUNCTIONS), ''))
    return ast.unparse(tree)
  except (SyntaxError, MemoryError, RecursionError) as error:
    raise ValueError(f'not an expression: {error}') from error


def _check(node: ast.AST) -> None:
  """Raises ValueError unless a node is allowed by itself."""
  wrong = isinstance(node, ast.Constant) and type(node.value) not in _CONSTANTS
  if wrong or not isinstance(node, _ALLOWED):
    raise ValueError(f'{type(node).__name__} is not allowed in an expression')
  if (isinstance(node, ast.Subscript) and isinstance(node.value, ast.List)
      and not isinstance(node.slice, ast.Slice)):
    raise ValueError('picking from a list that is spelled out is not allowed in an expression')
  if isinstance(node, ast.Call) and not isinstance(node.func, ast.Name | ast.Attribute):
    raise ValueError(f'calling a {type(node.func).__name__} is not allowed in an expression')
  if isinstance(node, ast.Attribute) and node.attr.startswith('_'):
    raise ValueError(f'the attribute {node.attr} is not allowed in an expression')
  if isinstance(node, ast.arguments) and ast.dump(node) != ast.dump(
      ast.arguments([], node.args, None, [], [], None, [])):
    raise ValueError('only plain arguments are allowed in an expression')


def _rename(node: ast.AST, names: Mapping[str, str]) -> None:
  """Numbers bound variables from the outside in; `names` has all that are in scope."""
  if isinstance(node, ast.Name):
    if node.id not in names:
      raise ValueError(f'the name {node.id} is not allowed in an expression')
    node.id = names[node.id] or node.id
  elif isinstance(node, _COMPREHENSIONS):
    for each in node.generators:
      _rename(each.iter, names)
      if each.is_async or not isinstance(each.target, ast.Name):
        raise ValueError('only plain targets are allowed in an expression')
      names = _bind(names, each.target.id)
      for part in (each.target, *each.ifs):
        _rename(part, names)
    _rename(node.elt, names)
  elif isinstance(node, ast.Lambda):
    for argument in node.args.args:
      names = _bind(names, argument.arg)
      argument.arg = names[argument.arg]
    _rename(node.body, names)
  else:
    for child in ast.iter_child_nodes(node):
      _rename(child, names)


def _bind(names: Mapping[str, str], name: str) -> dict[str, str]:
  """The names in scope where one more is bound."""
  number = max((int(bound[1:]) + 1 for bound in names.values() if bound), default=0)
  return {**names, name: f'v{number}'}

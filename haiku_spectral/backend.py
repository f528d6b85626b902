"""What is done differently for the sake of one platform, each with its reason.

The rest of the code asks here and knows no platform. Measured on two CPU cores with jax 0.10.2
where nothing else is said. The functions need the devices, so call them when something is traced or
compiled, not on import.
"""

import contextlib
import ctypes
import functools
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

F = TypeVar('F', bound=Callable[..., Any])
CompilerOptions = dict[str, bool | int | str]

# glibc's malloc.h: what mallopt calls a setting, its value in bytes (or arenas), and the variable
# by which a user may have chosen another.
_MALLOC = (
    (-2, 1 << 28, 'MALLOC_TOP_PAD_'),
    (-4, 0, 'MALLOC_MMAP_MAX_'),
    (-1, -1, 'MALLOC_TRIM_THRESHOLD_'),  # Never.
    (-8, 1, 'MALLOC_ARENA_MAX'),
)
_HUGE_PAGE, _MADV_HUGEPAGE = 1 << 21, 14  # Bytes, and its number in Linux's mman.h.
# 2: memory that is allocated counts as used.
OVERCOMMIT = pathlib.Path('/proc/sys/vm/overcommit_memory')


class Choices(NamedTuple):
  """What differs among platforms; the functions of the same names give the reasons."""

  run_once_options: Mapping[str, bool | int | str] = {}
  decoding_options: Mapping[str, bool | int | str] = {}
  training_options: Mapping[str, bool | int | str] = {}
  orders_by_data_alone: bool = False
  prefers_explicit_gradient: bool = False
  adds_weight_gradients_as_batch: bool = False
  adds_rows_by_products: bool = False
  long_convolution: str = 'fft'  # 'fft', or 'toeplitz'.
  toeplitz_block: int = 128  # Outputs of a Toeplitz product.


PLATFORMS = {
    'cpu': Choices(
        run_once_options={'xla_backend_optimization_level': 0},
        decoding_options={'xla_cpu_experimental_ynn_fusion_type': ''},
        training_options={
            'xla_cpu_experimental_ynn_fusion_type': 'LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT'},
        orders_by_data_alone=True,
        prefers_explicit_gradient=True,
        adds_weight_gradients_as_batch=True),
    'gpu': Choices(
        training_options={'xla_gpu_exclude_nondeterministic_ops': True},
        prefers_explicit_gradient=True,
        adds_rows_by_products=True),
    'tpu': Choices(adds_rows_by_products=True),
}


def choices() -> Choices:
  """Those of the platform on which programs run."""
  import jax  # Here, for programs that begin with `tune_malloc` and answer a flag at once.
  return PLATFORMS.get(jax.default_backend(), Choices())


@contextlib.contextmanager
def chosen(**fields: Any) -> Iterator[None]:
  """Other choices within a `with` block, to measure them: what is traced in it follows them."""
  import jax
  platform, before = jax.default_backend(), choices()
  PLATFORMS[platform] = before._replace(**fields)
  try:
    yield
  finally:
    PLATFORMS[platform] = before


def tune_malloc() -> None:
  """Has glibc keep large buffers for the next call, on huge pages; for the start of a program.

  XLA:CPU allocates its temporary buffers at each call. Beyond a threshold glibc maps and unmaps
  them, and the kernel clears every page again: 9,400 page faults in a convolution of [4, 2048, 256]
  against 1,500, a third of its time. On pages of 4 KiB a buffer of 12 MB has more of them than a
  core keeps addresses of. With both, a step of nano on 32 KiB of text takes 0.65 of the time. The
  price is memory that stays with the process. Does nothing with another C library, and nothing to a
  setting that the user's environment has.
  """
  libc = ctypes.CDLL(None)
  if not hasattr(libc, 'mallopt'):
    return
  for setting, value, variable in _MALLOC:
    if variable not in os.environ:
      libc.mallopt(setting, value)
  if OVERCOMMIT.is_file() and OVERCOMMIT.read_text(encoding='ascii').strip() != '2':
    # A quarter of the memory, so that limits on a process leave room for more than this.
    _advise_huge_pages(libc, os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') // 4)


def _advise_huge_pages(libc: ctypes.CDLL, size: int) -> None:
  """Grows the heap by `size` bytes and advises huge pages for them; no page is touched."""
  libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
  libc.free.argtypes = [ctypes.c_void_p]
  libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
  if start := libc.malloc(size):
    first = -(-start // _HUGE_PAGE) * _HUGE_PAGE
    libc.madvise(first, start + size - first, _MADV_HUGEPAGE)
    libc.free(start)


def run_once_options() -> CompilerOptions:
  """Compiler options of a program that runs once, such as a model's initialisation.

  XLA:CPU spends most of its time in LLVM's optimisations: without them nano's initial state takes
  5 s to compile instead of 10, and runs in milliseconds either way.
  """
  return dict(choices().run_once_options)


def decoding_options() -> CompilerOptions:
  """Compiler options of a program that multiplies a few rows with large matrices.

  XLA:CPU hands products to YNNPACK, which packs both sides anew at each call: that costs more than
  a product with a single row. Known slow cases of these fusions: jax-ml/jax#37465.
  """
  return dict(choices().decoding_options)


def training_options() -> CompilerOptions:
  """Compiler options of a training step.

  On a GPU a scatter adds in the order in which its threads arrive, unless it is told not to: the
  embedding's gradient would differ from run to run, and a resumed run from one left alone. XLA:CPU
  hands sums to YNNPACK as well as products, and those over the bytes of a single long row are slow:
  with products alone a step of nano on a row of 8 KiB takes 0.85 of the time, on 8 rows of 1 KiB
  0.99, and one of tiny as long.
  """
  return dict(choices().training_options)


def orders_by_data_alone() -> bool:
  """Whether only the data that an operation needs say what it comes after.

  XLA:CPU ignores lax.optimization_barrier. So it copies a buffer that is read and then written in
  place unless the write needs what the read gave (openxla/xla#20440): at every decoded byte that
  would be all caches of a model. And what the backward pass is to compute again (`modules/remat`)
  it shares with the forward pass, or computes long before it is needed.
  """
  return choices().orders_by_data_alone


def prefers_explicit_gradient() -> bool:
  """Whether the gradient of a product is to be written by hand, as in `ops/dense`.

  XLA:CPU fuses the transposition that the gradient of the weights needs into the making of the
  wider side and walks through memory across the grain; written with the narrower side first, nano's
  whole gradient takes 4 % less. Related: openxla/xla#18410. For products of 16 bits that are added
  in 32, JAX's own derivative multiplies a cotangent of 32 bits by an operand of 16, for which
  matrix units have no fast form; written by hand, both sides have 16. The price: a product with a
  hand-written gradient has no forward-mode derivative.
  """
  return choices().prefers_explicit_gradient


def adds_weight_gradients_as_batch() -> bool:
  """Whether the product for the gradient of the weights gets a leading axis of one.

  It is summed over all rows. XLA:CPU hands a plain product to YNNPACK, which wants the rows last,
  so that both sides are first computed across the grain of memory; a product of a batch goes to
  Eigen, which reads them as they are. A step of nano takes 0.89 of the time.
  """
  return choices().adds_weight_gradients_as_batch


def adds_rows_by_products() -> bool:
  """Whether the gradient of a small table's rows is a product with one-hot rows (`ops/lookup`).

  The alternative is a scatter: on a GPU it sorts all numbers first to add them in a fixed order,
  and on matrix units the product of a table of 260 rows costs next to nothing. A CPU does without:
  its scatter adds one row after the other.
  """
  return choices().adds_rows_by_products


def long_convolution() -> str:
  """How `ops/fft_conv` computes convolutions of many taps: by 'fft', or as 'toeplitz' products.

  The products take more operations and fit matrix units. `binaries/benchmark_device` measures both
  at the model's shapes.
  """
  return choices().long_convolution


def toeplitz_block() -> int:
  """How many outputs one Toeplitz product gives: fewer take fewer operations, in smaller products.
  """
  return choices().toeplitz_block


def jit(options: Callable[[], CompilerOptions], **how: Any) -> Callable[[F], F]:
  """A decorator, `jax.jit` with compiler options that are asked for at the first call.

  `how` are the other keywords of `jax.jit`. On import it is too early: asking for the platform
  starts the backend, after which its devices can no longer be configured.
  """
  def decorate(function: F) -> F:
    @functools.cache
    def compiled() -> Any:
      import jax
      return jax.jit(function, compiler_options=options(), **how)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
      return compiled()(*args, **kwargs)

    return call  # type: ignore[return-value]

  return decorate

"""What vendors say of their accelerators: the ceilings that a roofline and an MFU are held against.

Rates are dense ones, without sparsity, in floating-point operations per second; bandwidths are of
one device, in bytes per second, those of links in one direction. Sources: NVIDIA's data sheets of
the A100 (2021), H100 (2022), H200 (2023) and HGX B200 (2025), and Google Cloud's pages of the TPU
versions (2025).
"""

from typing import NamedTuple

from haiku_spectral.requirement import require


class Device(NamedTuple):
  """One accelerator and how it is joined to others."""

  name: str  # In JAX's `device_kind`, in any case.
  bfloat16: float  # Products of 16 bits added in 32.
  float32: float  # Products of float32 as JAX computes them by default: TF32 on NVIDIA's.
  memory: float  # Bytes,
  memory_bandwidth: float  # and per second.
  link: float  # To the other devices of a host (NVLink) or of a slice (ICI).
  network: float  # To those of other hosts.
  devices_per_host: int

  def rate(self, precision: str) -> float:
    """Operations per second of products in a precision of training."""
    return self.float32 if precision == 'float32' else self.bfloat16


DEVICES = {
    'a100': Device('A100-SXM4-80GB', 312e12, 156e12, 80e9, 2.04e12, 300e9, 25e9, 8),
    'h100': Device('H100 80GB HBM3', 989e12, 494e12, 80e9, 3.35e12, 450e9, 50e9, 8),
    'h200': Device('H200', 989e12, 494e12, 141e9, 4.8e12, 450e9, 50e9, 8),
    'b200': Device('B200', 2250e12, 1125e12, 180e9, 7.7e12, 900e9, 50e9, 8),
    'v5e': Device('TPU v5 lite', 197e12, 98e12, 16e9, 0.82e12, 100e9, 6e9, 4),
    'v5p': Device('TPU v5', 459e12, 229e12, 95e9, 2.77e12, 300e9, 6e9, 4),
    'v6e': Device('TPU v6 lite', 918e12, 459e12, 32e9, 1.64e12, 224e9, 6e9, 4),
}


def named(name: str, flag: str = '--device_kind') -> Device:
  """The device of a short name. Raises ValueError for one that is not in the table."""
  require(name in DEVICES, flag, name, f'one of {", ".join(DEVICES)}')
  return DEVICES[name]


def of_kind(device_kind: str) -> Device | None:
  """The device that JAX calls `device_kind`; None when the table has none, as for a CPU."""
  kind = device_kind.lower()
  for other, name in (('v5e', 'v5 lite'), ('v5p', 'v5'), ('v6e', 'v6 lite')):  # JAX knows both.
    kind = kind.replace(other, name)
  # The longest first: 'TPU v5' begins 'TPU v5 lite', too.
  for device in sorted(DEVICES.values(), key=lambda device: -len(device.name)):
    if device.name.lower() in kind:
      return device
  return None

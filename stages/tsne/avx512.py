"""Kernels with vectors as wide as the processor's. To be imported, for that alone, where numba compiles.

LLVM takes AVX-512 by halves, since the first processors that had it slowed down. With the whole of it all pairs take
two thirds of the time, to the same bits.
"""

import numba
from numba.core.codegen import get_host_cpu_features

if numba.config.CPU_FEATURES is None and "+avx512f" in (features := get_host_cpu_features()):
    numba.config.CPU_FEATURES = f"{features},-prefer-256-bit"

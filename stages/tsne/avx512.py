"""Let numba use 512-bit vectors where the processor has them. Import this module before numba compiles anything.

By default LLVM splits AVX-512 operations into halves. Whole vectors take a third off all pairs, with identical results.
"""

import numba
from numba.core.codegen import get_host_cpu_features

if numba.config.CPU_FEATURES is None and "+avx512f" in (features := get_host_cpu_features()):
    numba.config.CPU_FEATURES = f"{features},-prefer-256-bit"

"""Latents for the tests of this room."""

import numpy as np

from stages.tsne.affinities import joint_affinities

LATENTS = np.random.default_rng(0).normal(size=(400, 10)).astype(np.float32)


def scattered(axes, spread=4.0):
    """Positions float32 (axes, n), apart as on a map, and the affinities of LATENTS."""
    positions = np.random.default_rng(1).normal(0, spread, (axes, len(LATENTS))).astype(np.float32)
    return positions, joint_affinities(LATENTS, 20)


def clusters(n, seed, apart=4.0):
    """Six classes in 16 dimensions, separate or, less far `apart`, overlapping: latents (n, 16), labels (n,)."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % 6
    centres = np.random.default_rng(9).normal(size=(6, 16)) * apart
    return (centres[labels] + generator.normal(size=(n, 16))).astype(np.float32), labels

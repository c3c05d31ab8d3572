"""Garments drawn by the project itself; each image's factors are columns of the samples."""

import numpy as np
import pandas as pd

from stages.common.samples_table import numbered_samples
from stages.common.settings import ImagesParams
from stages.images.garment_framing import framing_arrays
from stages.images.garments.garments import CLASS_NAMES, FACTORS, draw_garments


def drawn_images(params: ImagesParams) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Draw training and test garments, each split with a seed of its own.

    Returns the samples, whose numeric columns are the factors (NaN where one does not apply to a garment), and the
    arrays of `data/images.npz`.
    """
    counts = params.train_samples, params.test_samples
    draws = [draw_garments(n, seed=2 * params.seed + i) for i, n in enumerate(counts)]
    images, labels, factors = map(np.concatenate, zip(*draws, strict=True))
    columns = pd.DataFrame(factors, columns=list(FACTORS))
    return numbered_samples(*counts, labels, list(CLASS_NAMES), columns), framing_arrays(images, counts[0])

"""Shapes, cloth and random parameters from which garments are composed.

A stack of n pictures is painted at once. Coordinates are (n, 28, 28), parameters (n, 1, 1), all float32. A shape is its
signed distance in pixels, negative inside, as in Quilez, "2D distance functions" (iquilezles.org).

Only correctly rounded elementwise operations are used (+ - * / sqrt, min, max, comparisons, floor), no library
functions such as sin and no sums: IEEE 754 fixes their results, so the images are byte-identical on every machine.
"""

from itertools import pairwise

import numpy as np

SIDE = 28
EDGE = 12.2  # garments stay within this many pixels of the centre


class Dice:
    """Random parameters for `n` pictures, all from the uniform doubles of `rng`, whose stream NumPy keeps stable."""

    def __init__(self, rng: np.random.Generator, n: int):
        self.rng, self.n = rng, n

    def lattice(self, rows: int, columns: int) -> np.ndarray:
        """Uniform values in [0, 1), shape (n, rows, columns)."""
        return self.rng.random((self.n, rows, columns)).astype(np.float32)

    def uniform(self, low, high) -> np.ndarray:
        """Uniform values between `low` and `high`, shape (n, 1, 1)."""
        return low + (high - low) * self.lattice(1, 1)

    def bell(self, low, high) -> np.ndarray:
        """Bell-shaped values between `low` and `high`: the mean of three uniform ones."""
        return (self.uniform(low, high) + self.uniform(low, high) + self.uniform(low, high)) / 3

    def chance(self, share: float) -> np.ndarray:
        """1 in about `share` of the pictures, 0 in the others."""
        return (self.lattice(1, 1) < share).astype(np.float32)


class Canvas:
    """Pictures in slightly different poses, painted layer over layer.

    `x`, `y` are pixels from the centre of the garment, y downwards; `size` shrinks what would not fit.
    """

    def __init__(self, dice: Dice, size=1.0, tilt: float = 0.03):
        t = dice.bell(-tilt, tilt)  # tangent of half the angle: sine and cosine are then rational
        cosine, sine = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
        scale = size * dice.uniform(0.92, 0.98)
        pixel = np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2
        across, down = pixel - dice.bell(-0.5, 0.5), pixel[:, None] - dice.bell(-0.3, 0.3)
        self.x = (cosine * across + sine * down) / scale
        self.y = (cosine * down - sine * across) / scale
        self.image = np.zeros_like(self.x)
        self.grain = 0.97 + 0.06 * dice.lattice(SIDE, SIDE)

    def paint(self, shape: np.ndarray, shade, opacity=1.0) -> None:
        """Lay `shade` (0 black, 1 white) over the pictures where `shape` is, its edge antialiased."""
        self.image += (shade - self.image) * (cover(shape) * opacity)

    def pixels(self) -> np.ndarray:
        """The finished pictures, uint8 (n, 28, 28)."""
        return np.floor(np.clip(self.image * self.grain, 0, 1) * 255 + 0.5).astype(np.uint8)


# Numbers.


def cover(shape):
    """How much of each pixel lies inside `shape`."""
    return np.clip(0.5 - shape, 0, 1)


def smooth(t):
    """A soft step from 0 to 1 while `t` goes from 0 to 1."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def wave(t):
    """A sine-like wave of period 1 and height 1, made of parabolas."""
    t = t - np.floor(t) - 0.5
    return -8 * t * (1 - 2 * np.abs(t))


def mix(a, b, share):
    """`a` where `share` is 0, `b` where it is 1."""
    return a + (b - a) * share


def profile(t, *knots):
    """A curve through `knots` (position, value), level at each of them and beyond the ends."""
    value = knots[0][1]
    for (start, before), (end, after) in pairwise(knots):
        value = value + (after - before) * smooth((t - start) / (end - start))
    return value


def direction(t):
    """The unit vector (across, down) that leans outwards from straight down by twice the angle of tangent `t`."""
    return 2 * t / (1 + t * t), (1 - t * t) / (1 + t * t)


# Shapes.


def union(a, b, blend=1e-3):
    """Both shapes, the notch between them filled within `blend` pixels (polynomial smooth minimum)."""
    notch = np.maximum(blend - np.abs(a - b), 0)
    return np.minimum(a, b) - notch * notch / (4 * blend)


def common(a, b, blend=1e-3):
    """What lies in both shapes, the corner rounded within `blend` pixels."""
    return -union(-a, -b, blend)


def only(shape, shown):
    """`shape` in the pictures where `shown` is 1; out of sight where it is 0."""
    return shape + 2 * SIDE * (1 - shown)


def outline(shape, width):
    """The border of `shape` as a stroke of `width` pixels."""
    return np.abs(shape) - width / 2


def limb(x, y, start, end, radius, end_radius=None):
    """A round-ended bar from `start` to `end`, tapering from `radius` to `end_radius`."""
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    from_x, from_y = x - start[0], y - start[1]
    length2 = np.maximum(along_x * along_x + along_y * along_y, 1e-6)
    share = np.clip((from_x * along_x + from_y * along_y) / length2, 0, 1)
    off_x, off_y = from_x - share * along_x, from_y - share * along_y
    width = radius if end_radius is None else mix(radius, end_radius, share)
    return np.sqrt(off_x * off_x + off_y * off_y) - width


def box(x, y, centre, half_width, half_height, corner=0.0):
    """An upright rectangle with rounded corners."""
    off_x = np.abs(x - centre[0]) - half_width + corner
    off_y = np.abs(y - centre[1]) - half_height + corner
    out_x, out_y = np.maximum(off_x, 0), np.maximum(off_y, 0)
    return np.sqrt(out_x * out_x + out_y * out_y) + np.minimum(np.maximum(off_x, off_y), 0) - corner


def ellipse(x, y, centre, half_width, half_height):
    """An upright ellipse; near its border the distance is right to first order."""
    across, down = (x - centre[0]) / half_width, (y - centre[1]) / half_height
    slope_x, slope_y = across / half_width, down / half_height
    gradient = np.sqrt(slope_x * slope_x + slope_y * slope_y)
    level = across * across + down * down - 1
    return np.maximum(level / np.maximum(2 * gradient, 0.2), -np.minimum(half_width, half_height))


def side_of(x, y, start, end):
    """The half plane to the right of the way from `start` to `end`, y being downwards."""
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    length = np.sqrt(along_x * along_x + along_y * along_y)
    return ((x - start[0]) * along_y - (y - start[1]) * along_x) / np.maximum(length, 1e-3)


def convex(x, y, *corners):
    """A convex polygon, its corners clockwise as seen."""
    shape = side_of(x, y, corners[-1], corners[0])
    for start, end in pairwise(corners):
        shape = np.maximum(shape, side_of(x, y, start, end))
    return shape


# Light and cloth.


def volume(shape, depth, darkness):
    """Light on something round: 1 inside `shape`, falling by `darkness` within `depth` pixels of its border."""
    return 1 - darkness * (1 - smooth(-shape / depth))


def noise(dice: Dice, rows: int, columns: int) -> np.ndarray:
    """Smooth random values in [0, 1], (n, 28, 28), from a lattice of `rows` by `columns` (value noise)."""
    lattice = dice.lattice(rows, columns)
    down = (np.arange(SIDE, dtype=np.float32) / SIDE * (rows - 1))[:, None]
    across = np.arange(SIDE, dtype=np.float32) / SIDE * (columns - 1)
    i, j = np.floor(down).astype(int), np.floor(across).astype(int)
    down, across = smooth(down - i), smooth(across - j)
    upper = mix(lattice[:, i, j], lattice[:, i, j + 1], across)
    lower = mix(lattice[:, i + 1, j], lattice[:, i + 1, j + 1], across)
    return mix(upper, lower, down)


def cloth_tone(dice: Dice) -> np.ndarray:
    """Most garments are light; some are dark."""
    return mix(dice.bell(0.64, 1.08), dice.uniform(0.32, 0.65), dice.chance(0.22))


def cloth_texture(dice: Dice, share: float) -> np.ndarray:
    """The contrast of a pattern: faint in most pictures, strong in about `share` of them."""
    return mix(dice.uniform(0, 0.12), dice.uniform(0.25, 0.6), dice.chance(share))


def folds(dice: Dice, depth: float = 0.16) -> np.ndarray:
    """Soft, mostly upright folds."""
    return 1 - depth * noise(dice, 4, 9) - depth / 2 * noise(dice, 9, 5)


def stripes(dice: Dice, t: np.ndarray) -> np.ndarray:
    """Bands along `t`, 0 or 1 with soft borders, of random spacing."""
    return smooth(0.5 + 1.5 * wave(t / dice.uniform(3.0, 7.0) + dice.uniform(0, 1)))


def cloth_pattern(dice: Dice, c: Canvas, patterns: int = 4) -> np.ndarray:
    """Return one of `patterns` in 0..1: bands across, checks, a blotchy print, mottled cloth, a print on the chest."""
    choice = dice.uniform(0, patterns)
    bands = stripes(dice, c.y)
    checks = (bands + stripes(dice, c.x)) / 2
    blotches = smooth(1.3 * (noise(dice, 13, 13) + noise(dice, 22, 22)) - 0.8)
    pattern = emblem(dice, c)
    for limit, other in ((4, noise(dice, 20, 20)), (3, blotches), (2, checks), (1, bands)):
        pattern = np.where(choice < limit, other, pattern)
    return pattern


def emblem(dice: Dice, c: Canvas) -> np.ndarray:
    """A print on the chest, lettering or a disc."""
    y = dice.uniform(-4.5, -2)
    half_width, half_height = dice.uniform(1.5, 4), dice.uniform(0.8, 2.5)
    shape = mix(box(c.x, c.y, (0, y), half_width, half_height), ellipse(c.x, c.y, (0, y), 2.6, 2.6), dice.chance(0.5))
    return cover(shape) * (0.6 + 0.4 * noise(dice, 14, 20))


def fitting(height) -> np.ndarray:
    """The size at which something `height` pixels high stays inside the picture."""
    return np.minimum(1, 2 * EDGE / height)

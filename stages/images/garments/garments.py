"""Draw garments of ten classes, images like Fashion-MNIST's whose factors are known.

The classes are Fashion-MNIST's (Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747). Within a class the images vary
continuously, and classes grade into each other as real ones do: a long-sleeved T-shirt is nearly a pullover, a high
sneaker nearly an ankle boot. Nothing is copied from elsewhere; shapes and cloth are painted by `shapes`.
"""

import numpy as np

from stages.images.garments.shapes import (
    EDGE,
    Canvas,
    Dice,
    box,
    cloth_pattern,
    cloth_texture,
    cloth_tone,
    common,
    ellipse,
    fitting,
    folds,
    limb,
    mix,
    only,
    outline,
    profile,
    smooth,
    volume,
)
from stages.images.garments.shoes import ankle_boot, sandal, sneaker
from stages.images.garments.tops import coat, dress, pullover, shirt, t_shirt

CLASS_NAMES: tuple[str, ...] = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

FACTORS: tuple[str, ...] = (
    "tone",  # lightness of the material, 0 black to 1 white
    "texture",  # contrast of its pattern, 0 plain
    "width",  # pixels, of the body without sleeves
    "length",  # pixels, from the top to the hem
    "sleeve_length",  # 0 none to 1 to the wrist
    "neck_depth",  # pixels
    "hem_flare",  # hem over chest width
    "leg_width",  # pixels, at the hem
    "heel_height",  # pixels, before the shoe is made to fit
    "shaft_height",  # pixels, above the heel seat
    "sole_thickness",  # pixels
    "strap_width",  # pixels
    "handle_height",  # pixels, above the bag
)

CHUNK = 100  # pictures painted at once: small enough for the processor's cache
LARGEST_KEPT = 31 << 20  # bytes; glibc hands larger blocks back to the system at once


def draw_garments(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw `n` garments, as many of each class, in random order.

    Returns images uint8 (n, 28, 28), light on black; labels int64 (n,), indices into `CLASS_NAMES`; and the factors
    behind each picture, float32 (n, len(FACTORS)), NaN where one does not apply to that class. The same bytes for the
    same `n` and `seed` everywhere; draw training and test images with two seeds.
    """
    bytearray(LARGEST_KEPT)  # having freed this, glibc keeps smaller blocks for the next array: half of the time
    rng = np.random.Generator(np.random.PCG64(seed))
    labels = np.empty(n, np.int64)
    labels[np.argsort(rng.random(n), kind="stable")] = np.arange(n) % len(DRAWERS)
    images = np.zeros((n, 28, 28), np.uint8)
    factors = np.full((n, len(FACTORS)), np.nan, np.float32)
    for label, draw in enumerate(DRAWERS):
        rows = np.flatnonzero(labels == label)
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            images[chunk], values = draw(Dice(rng, len(chunk)))
            for name, value in values.items():
                factors[chunk, FACTORS.index(name)] = value[:, 0, 0]
    return images, labels, factors


def trouser(dice: Dice) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Waistband, fly and two legs, now and then cropped."""
    tone, texture = cloth_tone(dice), cloth_texture(dice, 0.15)
    hip, leg = dice.bell(8.4, 11.6), dice.bell(2.4, 5.2)
    bottom = mix(dice.bell(10.8, 12.3), dice.uniform(2, 10.5), dice.chance(0.1))
    c = Canvas(dice)
    x, y = np.abs(c.x + dice.bell(-0.9, 0.9) * smooth((c.y + 6) / 18)), c.y
    half, crotch = hip / 2, dice.bell(-5.0, -2.5)
    stride = dice.bell(0.25, 1.9)
    outer = profile(y, (-EDGE, half * 0.84), (-6.0, half), (1.0, mix(half, stride + leg, 0.5)), (12.0, stride + leg))
    inner = stride * np.clip((y - crotch) / (12 - crotch), 0, 1)
    body = np.maximum(np.maximum(x - outer, -EDGE - y), y - bottom)
    legs = np.maximum(body, np.where(y > crotch, inner + 0.25 - x, -9))
    cloth = tone * folds(dice, 0.2) * (1 - texture * cloth_pattern(dice, c))
    c.paint(legs, cloth * volume(legs, 2.2, 0.3))
    crease = limb(x, y, (half * 0.5, -6.0), (stride + leg / 2, bottom), 0.3)
    c.paint(common(crease, legs), np.minimum(tone * 1.15, 1), dice.uniform(0, 0.5))
    c.paint(np.maximum(outline(c.x, 0.7), np.maximum(y - crotch, -EDGE + 2 - y)), tone * 0.55, 0.8)
    c.paint(np.maximum(outline(x, 0.6), np.maximum(crotch - y, y - bottom)), tone * 0.4, np.clip(1 - stride, 0, 1))
    pocket = limb(x, y, (half * 0.45, -EDGE + 2.0), (half * 0.95, -EDGE + 4.8), 0.3)
    c.paint(common(pocket, body), tone * 0.6, dice.uniform(0.2, 0.9))
    c.paint(common(body, y + EDGE - 1.5), tone * dice.uniform(0.6, 0.95))
    c.paint(common(body, outline(y + EDGE - 2.0, 0.6)), tone * 0.5, 0.8)
    c.paint(common(legs, outline(y - bottom + 1.3, 0.5)), tone * 0.6, 0.6)
    return c.pixels(), {"tone": tone, "texture": texture, "width": hip, "length": bottom + EDGE, "leg_width": leg}


def bag(dice: Dice) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """From a clutch to a tote: a body with a flap, a zip or a pocket, under a round or square handle."""
    tone, texture = cloth_tone(dice), cloth_texture(dice, 0.35)
    width, body_height = dice.bell(14.5, 25), dice.bell(9, 20)
    handle = mix(0.0, dice.uniform(2.5, 11.0), dice.chance(0.75))
    height = body_height + handle
    top, bottom, half = handle - height / 2, height / 2, width / 2
    c = Canvas(dice, fitting(height + 0.8))
    x = np.abs(c.x)
    flare, corner = dice.bell(0.78, 1.15), dice.uniform(0.8, 5.0)
    sides = (x - half * mix(np.minimum(flare, 1), np.minimum(1 / flare, 1), (c.y - top) / (bottom - top))) * 0.98
    domed = dice.chance(0.2) * (1 - smooth((body_height - 12) / 3))
    lid = top + domed * 0.35 * body_height * (c.x / half) * (c.x / half)
    body = common(common(sides, c.y - bottom, corner), lid - c.y, 1.5)
    leather = tone * folds(dice, 0.18) * (1 - texture * cloth_pattern(dice, c))
    arch = ellipse(c.x, c.y, (0, top + 0.5), half * dice.uniform(0.3, 0.72), np.maximum(handle, 1))
    square = box(c.x, c.y, (0, top + 0.5), half * 0.45, handle, 2.0)
    strap = np.where(dice.chance(0.7) > 0, arch, square)
    thick = dice.uniform(0.9, 1.8)
    grip = only(common(outline(strap + thick / 2, thick), c.y - top - 0.5), handle > 0)
    c.paint(grip, tone * dice.uniform(0.6, 1.0))
    c.paint(body, leather * volume(body, 2.5, 0.25))
    flap = np.minimum(dice.uniform(0.35, 0.75) * body_height, 9)
    flapped = dice.chance(0.4)
    edge = ellipse(c.x, c.y, (0, top), half * 1.02, flap)
    edge = mix(edge, c.y - top - flap, dice.chance(0.5))
    c.paint(common(outline(edge - 0.5, 1.0), body + 0.4), tone * 0.45, flapped)
    clasp = box(c.x, c.y, (0, top + flap), 1.1, 0.9, 0.4)
    c.paint(clasp, mix(0.3 * tone, 1.0, dice.chance(0.6)), flapped)
    c.paint(common(outline(body + 1.2, 0.5), top + 1.4 - c.y), tone * 0.65, (1 - flapped) * 0.8)
    c.paint(common(outline(c.y - top - 1.2, 0.6), body + 0.8), tone * 0.5, 1 - flapped)
    pocket = outline(box(c.x, c.y, (0, mix(top, bottom, 0.68)), half * 0.5, body_height * 0.18, 0.6), 0.5)
    c.paint(pocket, tone * 0.6, (1 - flapped) * dice.chance(0.4))
    tabs = outline(x - half * 0.45, 1.2)
    c.paint(common(tabs, common(body, c.y - top - 0.4 * body_height)), tone * 0.7, (handle > 1) * dice.chance(0.4))
    factors = {"width": width, "length": body_height, "handle_height": handle}
    return c.pixels(), {"tone": tone, "texture": texture, **factors}


DRAWERS = (t_shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle_boot)

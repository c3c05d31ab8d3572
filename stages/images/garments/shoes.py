"""The drawn shoes, in profile, toe to the left: sandal, sneaker, ankle boot. They stand on y = ground.

Each function paints n images, one for each throw of `dice`; it returns them, uint8 (n, 28, 28), and their factors.
"""

import numpy as np

from stages.images.garments.shapes import (
    Canvas,
    Dice,
    box,
    cloth_texture,
    cloth_tone,
    common,
    convex,
    ellipse,
    fitting,
    folds,
    limb,
    mix,
    noise,
    only,
    outline,
    profile,
    smooth,
    union,
    volume,
    wave,
)


def _sole_line(x, ground, heel) -> np.ndarray:
    """The underside of the sole at `x`: flat under the ball, then up to the heel seat."""
    return ground - heel * smooth((x + 6.5) / 14)


def _foot(c: Canvas, under, seat, shaft, toe, back) -> np.ndarray:
    """Foot and leg up to `shaft` above the heel seat: `under` is the sole line, `toe` the height of the toe box."""
    top = under - profile(c.x, (-12.0, toe), (-3.5, toe + 1.6), (4.5, 8.4 + 0.2 * toe))
    upper = common((top - c.y) * 0.8, c.y - under, 0.8)
    foot = common(upper, common(-11.6 - c.x, c.x - back, 0.8), 2.6)
    front, collar = 0.2 + 0.05 * shaft, seat - 5.5 - shaft
    leg = convex(c.x, c.y, (front, collar), (back - 0.5, collar), (back, seat + 0.5), (front + 1.5, seat))
    return common(union(foot, leg, 3.0), collar - c.y, 0.8)


def _heel(c: Canvas, ground, seat, back, width, foot_width) -> np.ndarray:
    """The block under the heel seat, tapering to the ground."""
    corners = (back - width, seat - 0.8), (back, seat - 0.8), (back - 0.3, ground), (back - 0.3 - foot_width, ground)
    return convex(c.x, c.y, *corners)


def _heel_height(dice: Dice, share: float) -> np.ndarray:
    """Flat shoes and heeled ones, `share` of them high."""
    return mix(dice.bell(0.3, 2.2), dice.bell(3.5, 9.5), dice.chance(share))


def sandal(dice: Dice) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A sole, flat, heeled or wedged, one or two bands over the toes, often straps around the ankle."""
    tone, texture = cloth_tone(dice), cloth_texture(dice, 0.1)
    heel, strap = _heel_height(dice, 0.45), dice.bell(0.8, 3.2)
    sole = mix(dice.bell(0.9, 1.8), dice.uniform(1.8, 4.0), dice.chance(0.25))
    anklet = dice.chance(0.75)
    shaft = dice.bell(0.0, 6.0) * anklet
    height = heel + sole + mix(4.0, 4.5 + shaft, anklet)
    ground, back = height / 2, 10.6
    c = Canvas(dice, fitting(height))
    foot = _sole_line(c.x, ground, heel) - sole
    seat, above = ground - heel - sole, c.y - foot
    leather = tone * (1 - texture * noise(dice, 20, 20))
    slab = common(common(-above, above - sole), common(-11.9 - c.x, c.x - back - 0.2, 0.5), 1.2)
    block = mix(dice.uniform(1.2, 2.4), dice.uniform(3.5, 6.5), dice.chance(0.5))
    post = _heel(c, ground, seat, back, block + 1.2, block)
    wedge = common(common(-above, c.y - ground), common(-9 - c.x, c.x - back), 0.6)
    post = np.where(dice.chance(0.3) > 0, wedge, post)
    c.paint(post, tone * dice.uniform(0.5, 0.95) * volume(post, 1.2, 0.2))
    c.paint(slab, tone * dice.uniform(0.55, 0.85))
    c.paint(common(slab, above - 0.8), tone * 1.1)
    ankle = seat - 4.0 - shaft
    behind, before = (back - 0.6, ankle), (dice.uniform(3.0, 4.6), ankle + dice.uniform(0.0, 1.0))
    closed, thin = dice.chance(0.6), 0.2 + 0.28 * strap
    toes = -4.5, _sole_line(-4.5, ground, heel) - sole - 2.4
    waist = dice.uniform(1.0, 5.0)
    arch = waist, _sole_line(waist, ground, heel) - sole
    for start, end, radius, shown in (
        (behind, (back - 0.5, seat), thin + 0.5, closed),
        (behind, arch, thin, 1 - closed),
        (before, arch, thin, dice.chance(0.45)),
        (before, toes, thin, dice.chance(0.45)),
        (before, behind, thin + 0.15, 1),
    ):
        band = only(limb(c.x, c.y, start, end, radius), anklet * shown)
        c.paint(band, leather * volume(band, 1.0, 0.2))
    buckle = only(outline(box(c.x, c.y, (before[0] + 1.5, ankle + 0.4), 0.8, 0.8), 0.6), anklet)
    c.paint(buckle, mix(tone * 0.4, 1.0, dice.chance(0.5)))
    lean = dice.bell(0.1, 0.7)
    for place, rise, share in ((-3.6, 4.2, 0.5), (-7.4, 3.3, 1.0)):
        vamp = ellipse(c.x - place + lean * above, above, (0, 0.3), 0.9 + 0.9 * strap, rise + dice.bell(-0.7, 0.7))
        vamp = only(common(vamp, above), dice.chance(share))
        c.paint(vamp - 0.4, tone * 0.35)
        c.paint(vamp, leather * volume(vamp, 1.4, 0.3))
    factors = {"heel_height": heel, "shaft_height": shaft, "sole_thickness": sole, "strap_width": strap}
    return c.pixels(), {"tone": tone, "texture": texture, **factors}


def _laces(c: Canvas, foot, start, end, top, tone, shown) -> None:
    """Short bars across the front of the shoe, from `start` to `end` in x and below `top`."""
    strip = common(outline(foot + 0.9, 1.5), np.maximum(np.maximum(start - c.x, c.x - end), top - c.y))
    c.paint(strip, tone * (0.72 + 0.28 * wave((0.8 * c.x - c.y) / 2.4)), shown)


def sneaker(dice: Dice) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Low or high, on a rubber sole, with laces, toe cap, counter and stripes."""
    tone, texture = cloth_tone(dice), cloth_texture(dice, 0.25)
    shaft = mix(dice.bell(0.0, 2.0), dice.uniform(1.5, 7.0), dice.chance(0.3))
    sole, toe = dice.bell(1.2, 3.2), dice.bell(2.4, 3.6)
    height = sole + 4.5 + shaft + 1.5
    ground, back = height / 2, 11.5
    c = Canvas(dice)
    floor = ground - sole
    rise = 6.2 + shaft
    throat = dice.bell(1.0, 3.5) - 0.25 * shaft
    top = floor - profile(
        c.x,
        (-12.0, toe - 0.6),
        (np.minimum(-7.0 + 0.6 * shaft, -4.8), toe + 0.6),
        (throat, rise),
        (7.5, rise - dice.uniform(0.4, 1.6)),
        (10.5, rise + 0.2),
    )
    ends = common(-11.8 - c.x, c.x - back + 0.06 * (floor - c.y), 0.8)
    foot = common(common((top - c.y) * 0.8, c.y - floor, 0.6), ends, 1.8)
    cloth = tone * folds(dice, 0.2) * (1 - texture * noise(dice, 24, 24))
    c.paint(foot, cloth * volume(foot, 2.5, 0.25))
    panel = mix(dice.uniform(0.55, 0.8), dice.uniform(1.0, 1.3), dice.chance(0.4))
    toecap = ellipse(c.x, c.y, (-11.5, floor), dice.bell(2.5, 5.0), 4.2)
    counter = ellipse(c.x, c.y, (12.0, floor - 1.0), dice.bell(2.5, 5.0), 5.5 + shaft)
    for part in (toecap, counter):
        shown = dice.chance(0.65)
        c.paint(common(part, foot), np.minimum(cloth * panel, 1), shown)
        c.paint(common(outline(part, 0.5), foot + 0.4), tone * 0.5, shown * 0.8)
    lace_tone = mix(tone * 0.5, 1.0, dice.chance(0.7))
    _laces(c, foot, -5.5, throat - 0.4, floor - rise + 0.9, lace_tone, dice.chance(0.85))
    slant = c.x + 0.6 * (c.y - floor)
    marks = np.where(
        dice.chance(0.5) > 0,
        common(outline((slant / 2.2 - np.floor(slant / 2.2) - 0.5) * 2.2, 1.0), np.abs(slant - 1) - 3.3),
        limb(c.x, c.y, (-3.5, floor - 1.2), (6.5, floor - 4.2), 1.0, 0.3),
    )
    c.paint(common(marks, foot + 0.7), mix(tone * 0.35, 1.0, dice.chance(0.5)), dice.chance(0.6))
    opening = common(ellipse(c.x, c.y, (7.0, floor - rise), 3.6, 1.0), foot)
    c.paint(opening, tone * 0.35)
    slab = common(common(floor - 0.3 - c.y, c.y - ground + 0.1 * (c.x < -8)), common(-12.1 - c.x, c.x - 11.9), 1.6)
    c.paint(slab, mix(tone * 0.45, dice.uniform(0.75, 1.0), dice.chance(0.6)))
    c.paint(common(slab, outline(c.y - floor - 0.2, 0.5)), tone * 0.35)
    c.paint(common(slab, c.y - ground + 0.8), tone * 0.4, dice.uniform(0, 1))
    return c.pixels(), {"tone": tone, "texture": texture, "shaft_height": shaft, "sole_thickness": sole}


def ankle_boot(dice: Dice) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A shaft over a flat or a high heel; laced, with elastic sides or with a zip."""
    tone, texture = cloth_tone(dice), cloth_texture(dice, 0.15)
    heel, toe = _heel_height(dice, 0.4), dice.bell(2.4, 4.2)
    shaft = mix(dice.bell(2.0, 13.0), dice.uniform(0.8, 4.5), dice.chance(0.2))
    high = smooth((heel - 1.5) / 2)
    sole = mix(dice.bell(0.8, 2.4), dice.bell(0.5, 1.5), high)
    height = heel + sole + 5.5 + shaft
    ground, back = height / 2, 10.6
    c = Canvas(dice, fitting(height))
    under, seat = _sole_line(c.x, ground, heel) - sole, ground - heel - sole
    foot = _foot(c, under, seat, shaft, toe, back)
    block = mix(dice.uniform(5.0, 7.0), dice.uniform(1.3, 5.0), high)
    post = _heel(c, ground, seat, back, block + 0.8 * high, block)
    leather = tone * folds(dice, 0.22) * (1 - texture * noise(dice, 20, 20))
    bottom = mix(tone * dice.uniform(0.35, 0.9), dice.uniform(0.7, 1.0), dice.chance(0.2))
    c.paint(post, bottom * volume(post, 1.0, 0.2))
    slab = common(common(under - 0.4 - c.y, c.y - under - sole), common(-12 - c.x, c.x - back - 0.2), 1.2)
    c.paint(slab, bottom)
    c.paint(foot, leather * volume(foot, 3.0, 0.3))
    c.paint(common(foot, outline(c.y - under + 0.3, 0.6)), tone * 0.45, 0.8)
    collar = seat - 5.5 - shaft
    style = dice.uniform(0, 3)  # laced, elastic sides, zip
    gore = convex(c.x, c.y, (2.6, collar), (7.2, collar), (5.8, seat - 3.2), (4.2, seat - 3.2))
    ribs = 0.85 + 0.15 * wave(c.x / 1.5)
    c.paint(gore, tone * dice.uniform(0.4, 0.75) * ribs, (style >= 1) & (style < 2))
    c.paint(limb(c.x, c.y, (6.5, collar + 0.5), (4.5, seat - 0.5), 0.3), tone * 0.45, style >= 2)
    lace_tone = mix(tone * 0.45, 1.0, dice.chance(0.6))
    _laces(c, foot, -2.5, 3.6, collar + 0.9, lace_tone, style < 1)
    c.paint(common(foot, c.y - collar - dice.uniform(0.8, 2.4)), tone * dice.uniform(0.6, 1.1), dice.chance(0.45))
    vamp = ellipse(c.x, c.y, (-11.5, seat + 0.6 * heel), dice.bell(4.0, 9.0), 6.0)
    c.paint(common(outline(vamp, 0.5), foot + 0.3), tone * 0.5, dice.chance(0.5) * 0.8)
    factors = {"heel_height": heel, "shaft_height": shaft, "sole_thickness": sole}
    return c.pixels(), {"tone": tone, "texture": texture, **factors}

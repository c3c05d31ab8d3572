"""The drawn garments with a body, sleeves and a neck: T-shirt, pullover, dress, coat, shirt.

Each function paints n images, one for each throw of `dice`; it returns them, uint8 (n, 28, 28), and their factors.
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
    convex,
    direction,
    ellipse,
    folds,
    limb,
    mix,
    only,
    outline,
    profile,
    side_of,
    smooth,
    union,
    volume,
    wave,
)


def _sleeves(c: Canvas, shoulder, length, lean, width, cuff) -> tuple[np.ndarray, np.ndarray]:
    """Both sleeves, and how far each pixel is from the wrist along them, in pixels (negative towards the shoulder)."""
    x, y = np.abs(c.x), c.y
    joint = (shoulder - width * 0.8, -EDGE + 1.9 + width * 0.9)
    total = 19.5 * length
    upper = np.minimum(total, 9)
    across, down = direction(lean)
    elbow = (joint[0] + across * upper, joint[1] + down * upper)
    to_x, to_y = direction(lean * 0.5 - 0.03)
    wrist = (elbow[0] + to_x * (total - upper), elbow[1] + to_y * (total - upper))
    at_elbow = mix(width, cuff, np.minimum(upper / np.maximum(total, 1), 1))
    arm = union(limb(x, y, joint, elbow, width, at_elbow), limb(x, y, elbow, wrist, at_elbow, cuff), 0.5)
    long = total > 9.5
    end = (x - wrist[0]) * np.where(long, to_x, across) + (y - wrist[1]) * np.where(long, to_y, down)
    return common(arm, end, 0.6), end


def _body(c: Canvas, shoulder, chest, waist, hem, bottom, neck_width) -> np.ndarray:
    """The body of a top, from the shoulder line down to `bottom`; half widths in pixels."""
    x, y = np.abs(c.x), c.y
    half = profile(y, (-11.0, shoulder), (-5.0, chest), (mix(-5.0, bottom, 0.45), waist), (bottom, hem))
    sides = common(x - half, side_of(x, y, (neck_width, -EDGE), (shoulder, -EDGE + 2.2)), 1.6)
    return common(sides, np.maximum(-EDGE - y, y - bottom - 0.25 * (1 - x * x / (hem * hem))), 0.8)


def _neck(c: Canvas, width, depth, vee) -> np.ndarray:
    """The neck's opening: round, or pointed where `vee` is 1."""
    x, y = np.abs(c.x), c.y
    rounded = ellipse(c.x, y, (0, -EDGE), width, depth)
    pointed = side_of(x, y, (width, -EDGE), (0, -EDGE + depth))
    return mix(rounded, pointed, vee)


def _open(c: Canvas, opening, body, inside) -> None:
    """Cut the neck's opening out of the body; `inside` is the shade of the back seen through it, 0 if it is lower."""
    c.paint(opening, 0)
    c.paint(common(opening, body), inside)


def _top(dice: Dice, c: Canvas, cloth, sleeves, body, seam=0.55) -> None:
    """Paint sleeves, then the body over them with a shadow where they meet."""
    c.paint(sleeves, cloth * volume(sleeves, 2.2, 0.32) * 0.96)
    c.paint(common(body - 0.6, sleeves), cloth * seam)
    c.paint(body, cloth * volume(body, 3.0, 0.2))


def t_shirt(dice: Dice) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """With short sleeves, none or long ones; round or pointed neck; now and then a polo."""
    tone, texture = cloth_tone(dice), cloth_texture(dice, 0.4)
    width, bottom, flare = dice.bell(11.0, 14.8), dice.bell(9.6, 12.4), dice.bell(0.88, 1.14)
    bare = dice.chance(0.16)
    sleeve = mix(mix(dice.bell(0.16, 0.42), dice.uniform(0.4, 1.05), dice.chance(0.2)), 0.0, bare)
    depth, neck = dice.bell(1.2, 3.6) + 2.4 * bare, dice.bell(2.5, 3.9)
    half = width / 2
    shoulder = mix(half + dice.uniform(0.0, 0.6), half - 1.2, bare)
    c = Canvas(dice)
    cloth = tone * folds(dice) * (1 - texture * cloth_pattern(dice, c, 5))
    lean = mix(dice.bell(0.26, 0.42), dice.bell(0.13, 0.17), smooth((sleeve - 0.3) / 0.4))
    arms, end = _sleeves(c, shoulder, sleeve, lean, dice.bell(2.5, 3.1), dice.bell(1.6, 2.4))
    arms = only(arms, 1 - bare)
    body = _body(c, shoulder, half, half * dice.uniform(0.93, 1.0), half * flare, bottom, neck)
    _top(dice, c, cloth, arms, body, dice.uniform(0.6, 0.9))
    c.paint(common(arms, outline(end + 1.2, 0.5)), tone * 0.72, 0.6)
    c.paint(common(body, outline(c.y - bottom + 1.2, 0.5)), tone * 0.75, 0.5)
    opening = _neck(c, neck, depth, dice.chance(0.25))
    c.paint(common(opening - 1.0, body), tone * dice.uniform(0.75, 1.0))
    _open(c, opening, body, tone * mix(dice.uniform(0.25, 0.5), 0.0, smooth((depth - 2.6) / 0.8)))
    polo = dice.chance(0.12) * (1 - bare)
    _collar(c, neck, dice.bell(2.2, 3.2), dice.bell(1.6, 2.4), tone * 0.9, polo)
    slit = np.maximum(outline(c.x, 0.7), c.y + EDGE - dice.bell(3.5, 7.0))
    c.paint(common(slit, body), tone * 0.55, polo)
    factors = {
        "width": width,
        "length": bottom + EDGE,
        "sleeve_length": sleeve,
        "neck_depth": depth,
        "hem_flare": flare,
    }
    return c.pixels(), {"tone": tone, "texture": texture, **factors}


def pullover(dice: Dice) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Knitted or sweat cloth with ribs at hem and cuffs; round neck or roll; now and then a cardigan."""
    tone, texture = cloth_tone(dice), cloth_texture(dice, 0.3)
    width, bottom, depth = dice.bell(11.6, 14.8), dice.bell(10.2, 12.3), dice.bell(0.8, 3.6)
    sleeve, neck = mix(dice.bell(0.8, 1.08), dice.uniform(0.25, 0.9), dice.chance(0.16)), dice.bell(2.3, 3.4)
    half = width / 2
    shoulder = half + dice.uniform(0.2, 1.0)
    c = Canvas(dice)
    knit = 1 - dice.uniform(0.0, 0.13) * (0.5 + 0.5 * wave(c.x / dice.uniform(2.6, 3.6) + 0.2 * wave(c.y / 2.8)))
    cloth = tone * folds(dice, 0.14) * knit * (1 - texture * cloth_pattern(dice, c, 5))
    arms, end = _sleeves(c, shoulder, sleeve, dice.bell(0.1, 0.17), dice.bell(2.2, 2.8), dice.bell(1.5, 2.0))
    body = _body(c, shoulder, half, half, half * dice.bell(0.88, 1.02), bottom, neck)
    _top(dice, c, cloth, arms, body, dice.uniform(0.15, 0.5))
    rib = 0.86 + 0.1 * wave(c.x / 2.6)
    ribbed = dice.uniform(0.4, 1.0)
    for shape, edge in ((body, bottom - 2.0 - c.y), (arms, -1.8 - end)):
        c.paint(common(shape, edge), tone * rib * volume(shape, 2.2, 0.25), ribbed)
        c.paint(common(shape, outline(edge, 0.6)), tone * 0.6, ribbed * 0.7)
    opening = _neck(c, neck, depth, dice.chance(0.15))
    c.paint(common(opening - 1.3, body), tone * rib)
    c.paint(common(outline(opening - 1.4, 0.5), body), tone * 0.6, 0.8)
    _open(c, opening, body, tone * dice.uniform(0.25, 0.5))
    cardigan = dice.chance(0.18)
    buttons = outline(c.x, 0.8) - 0.35 * wave(c.y / 3.2)
    c.paint(common(buttons, body), tone * dice.uniform(0.35, 0.7), cardigan)
    roll = dice.chance(0.15)
    depth = depth * (1 - roll)  # a roll neck closes the opening
    c.paint(only(box(c.x, c.y, (0, -EDGE + 1.0), neck * 0.9, 1.2, 0.5), roll), tone * rib * 0.95)
    factors = {"width": width, "length": bottom + EDGE, "sleeve_length": sleeve, "neck_depth": depth}
    return c.pixels(), {"tone": tone, "texture": texture, **factors}


def dress(dice: Dice) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Fitted above the waist, a straight or a pleated skirt below."""
    tone, texture = cloth_tone(dice), cloth_texture(dice, 0.3)
    width, bottom, flare = dice.bell(6.8, 11.8), dice.bell(9.8, 12.3), dice.uniform(0.85, 1.8)
    bare = dice.chance(0.45)
    sleeve = mix(mix(dice.bell(0.15, 0.4), dice.uniform(0.5, 0.98), dice.chance(0.4)), 0.0, bare)
    depth, neck = dice.bell(1.0, 3.8) + bare, dice.bell(2.0, 3.0)
    half = width / 2
    shoulder = mix(half + dice.uniform(-0.2, 0.4), np.maximum(half - 0.9, neck + 0.9), bare)
    c = Canvas(dice)
    waist_y, waist = dice.bell(-3.5, 1.5), half * dice.uniform(0.78, 0.95)
    cloth = tone * folds(dice) * (1 - texture * cloth_pattern(dice, c))
    lean = mix(dice.bell(0.25, 0.38), dice.bell(0.1, 0.2), smooth((sleeve - 0.3) / 0.3))
    arms, _ = _sleeves(c, shoulder, sleeve, lean, dice.bell(1.8, 2.3), dice.bell(1.2, 1.7))
    arms = only(arms, 1 - bare)
    skirt = smooth((c.y - waist_y) / (bottom - waist_y))
    body = _body(c, shoulder, half, waist, half, bottom, neck)
    hem = np.minimum(half * flare, 8.6)
    down = np.clip((c.y - waist_y) / (bottom - waist_y), 0, 1)
    half_skirt = mix(waist, hem, mix(down, smooth(down * 2) * 0.5 + down * 0.5, dice.uniform(0, 1)))
    sides = (np.abs(c.x) - half_skirt) * 0.95
    below = common(sides, np.maximum(waist_y - c.y, c.y - bottom - 0.3 * (1 - c.x * c.x / (hem * hem))), 0.6)
    body = union(np.maximum(body, c.y - waist_y - 1), below, 0.8)
    fall = 0.5 + 0.5 * wave(c.x / half_skirt * dice.uniform(1.5, 3))
    pleats = 1 - dice.uniform(0.05, 0.4) * (flare > 1.2) * skirt * fall
    _top(dice, c, cloth * pleats, arms, body, dice.uniform(0.2, 0.6))
    belt = dice.uniform(0, 1) * dice.chance(0.6)
    c.paint(common(body, outline(c.y - waist_y, dice.uniform(0.6, 1.6))), tone * dice.uniform(0.3, 0.8), belt)
    _open(c, _neck(c, neck, depth, dice.chance(0.35)), body, tone * dice.uniform(0, 0.4) * (depth < 2.5))
    factors = {
        "width": width,
        "length": bottom + EDGE,
        "sleeve_length": sleeve,
        "neck_depth": depth,
        "hem_flare": flare,
    }
    return c.pixels(), {"tone": tone, "texture": texture, **factors}


def _collar(c: Canvas, width, drop, spread, tone, shown) -> None:
    """Two pointed leaves folded down from the neck, a shadow under each."""
    x, y = np.abs(c.x), c.y
    top = -EDGE + 0.1
    leaf = convex(x, y, (0.5 * width, top), (width, top + 0.5), (spread, top + drop), (0, top + 0.5 * drop))
    c.paint(leaf - 0.6, tone * 0.45, shown)
    c.paint(leaf, tone * volume(leaf, 1.2, 0.15), shown)


def shirt(dice: Dice) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A placket with buttons, cuffs, rounded tails; mostly with a collar."""
    tone, texture = cloth_tone(dice), cloth_texture(dice, 0.4)
    width, bottom = dice.bell(11.0, 14.4), dice.bell(10.2, 12.3)
    sleeve, neck = mix(dice.bell(0.8, 1.05), dice.uniform(0.15, 0.8), dice.chance(0.42)), dice.bell(2.4, 3.2)
    half = width / 2
    shoulder = half + dice.uniform(0.1, 0.9)
    c = Canvas(dice)
    cloth = tone * folds(dice, 0.24) * (1 - texture * cloth_pattern(dice, c))
    lean = mix(dice.bell(0.22, 0.36), dice.bell(0.1, 0.17), smooth((sleeve - 0.4) / 0.3))
    arms, end = _sleeves(c, shoulder, sleeve, lean, dice.bell(2.1, 2.7), dice.bell(1.4, 1.8))
    curve = dice.uniform(0.0, 1.6) * (c.x * c.x / (half * half))  # shirt tails are rounded
    body = np.maximum(_body(c, shoulder, half, half * 0.96, half, bottom, neck), c.y - bottom + curve)
    _top(dice, c, cloth, arms, body, dice.uniform(0.2, 0.6))
    c.paint(common(arms, outline(end + 1.8, 0.6)), tone * 0.6, 0.8)
    line, button_step = mix(dice.uniform(0.4, 0.9), dice.uniform(0.0, 0.3), dice.chance(0.3)), dice.uniform(2.6, 3.6)
    placket = np.maximum(np.abs(c.x) - 0.9, c.y - bottom)
    c.paint(common(outline(placket, 0.5), body), tone * 0.62, line)
    rung = c.y / button_step - np.floor(c.y / button_step) - 0.5
    button = np.sqrt(c.x * c.x + rung * rung * button_step * button_step) - 0.55
    c.paint(common(button, body), mix(0.25 * tone, 1.0, dice.chance(0.4)), line)
    pocket = outline(box(c.x, c.y, (half * 0.5, -4.2), 1.5, 1.6), 0.5)
    c.paint(pocket, tone * 0.6, dice.chance(0.4) * 0.8)
    collared = dice.chance(0.75)
    _open(c, _neck(c, neck, dice.bell(1.0, 2.4), collared), body, tone * 0.35)
    _collar(c, neck, dice.bell(2.4, 3.8), dice.bell(1.6, 2.6), tone * dice.uniform(0.85, 1.05), collared)
    factors = {"width": width, "length": bottom + EDGE, "sleeve_length": sleeve}
    return c.pixels(), {"tone": tone, "texture": texture, **factors}


def coat(dice: Dice) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Thick long sleeves; lapels and buttons, or a zip and perhaps a hood; pockets."""
    tone, texture = cloth_tone(dice) * dice.uniform(0.8, 1), cloth_texture(dice, 0.12)
    width, bottom, flare = dice.bell(11.4, 15.0), dice.bell(11.2, 12.4), dice.bell(0.92, 1.22)
    sleeve, neck = dice.bell(0.84, 1.04), dice.bell(2.2, 3.2)
    half = width / 2
    shoulder = half + dice.uniform(0.1, 0.9)
    c = Canvas(dice)
    cloth = tone * folds(dice, 0.2) * (1 - texture * cloth_pattern(dice, c))
    arms, end = _sleeves(c, shoulder, sleeve, dice.bell(0.1, 0.16), dice.bell(2.4, 3.0), dice.bell(1.7, 2.2))
    body = _body(c, shoulder, half, half * dice.uniform(0.88, 0.98), half * flare, bottom, neck)
    _top(dice, c, cloth, arms, body, dice.uniform(0.12, 0.45))
    c.paint(common(arms, outline(end + 2.2, 0.6)), tone * 0.55, dice.uniform(0, 1))
    lapel = dice.bell(2.0, 9.0)
    zipped = dice.chance(0.45)
    x, y = np.abs(c.x), c.y
    front = common(body, 0.5 - y - EDGE)
    c.paint(common(outline(c.x - 0.3, 0.7), front), mix(tone * 0.4, 0.9, zipped * dice.chance(0.4)), 0.9)
    row, step = mix(dice.uniform(1.3, 1.8), dice.uniform(2.0, 3.2), dice.chance(0.3)), dice.uniform(3.2, 4.4)
    rung = (y / step - np.floor(y / step) - 0.5) * step
    across = np.where(row > 1.9, x, c.x) - row  # double-breasted or one row
    button = np.maximum(np.sqrt(across * across + rung * rung) - 0.55, np.maximum(-EDGE + lapel - y, y - 7.5))
    c.paint(only(common(button, front), 1 - zipped), mix(0.2 * tone, 1.0, dice.chance(0.3)))
    pocket = limb(x, y, (half * 0.5, dice.uniform(3.5, 5.5)), (half * 0.8, dice.uniform(4.0, 7.0)), 0.35)
    c.paint(common(pocket, front), tone * 0.45, 0.8)
    lining = mix(tone * 0.3, dice.uniform(0.2, 0.9), dice.chance(0.4))
    _open(c, _neck(c, neck, lapel * (1 - 0.5 * zipped), 1.0), body, lining)
    _collar(c, neck + 0.7, lapel * 0.8, dice.bell(2.2, 3.8), tone * dice.uniform(0.75, 0.98), dice.chance(0.8))
    hood = ellipse(c.x, y, (0, -EDGE + 2.2), dice.bell(3.4, 4.4), dice.bell(2.0, 2.4))
    hooded = dice.chance(0.3)
    c.paint(only(hood, hooded), cloth * volume(hood, 1.6, 0.4))
    c.paint(only(hood + 1.3, hooded), tone * 0.35)
    factors = {"width": width, "length": bottom + EDGE, "sleeve_length": sleeve, "hem_flare": flare}
    return c.pixels(), {"tone": tone, "texture": texture, **factors}

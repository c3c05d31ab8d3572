"""How dense all training points lie is drawn beneath the map, in its place, and can be hidden."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from stages.common.map_density import density_beneath

draw = np.random.default_rng(0)
OTHERS = np.concatenate([draw.normal([2, -5], [3, 1.5], (6000, 2)), draw.normal([-20, 10], 4, (9000, 2))])
DENSEST = 0.3  # opacity, as in shaders.js


@pytest.fixture(scope="module")
def density(ships):
    return density_beneath(ships.positions, OTHERS.astype(np.float32))


@pytest.fixture(scope="module")
def dense_page(write_page, ships, density) -> str:
    return write_page(ships, density=density)


def expected_shades(opened, density, pixels: np.ndarray) -> np.ndarray:
    """Shades 0 to 1 at pixels (n, 2), left and top, of the screen: where they are on the map, read linearly."""
    to_map = "(pixels) => pixels.map(([left, top]) => fitmap.map.viewport.toMap(left, top))"
    x, y = np.array(opened.run(to_map, (pixels + 0.5).tolist())).T
    left, right, bottom, top = density.extent
    rows, columns = density.shades.shape
    at = [(top - y) / (top - bottom) * rows - 0.5, (x - left) / (right - left) * columns - 0.5]
    return map_coordinates(density.shades / 255, at, order=1, mode="constant")


def test_the_shades_lie_where_the_images_lie(open_page, dense_page, density):
    opened = open_page(dense_page, color_scheme="dark")
    opened.run("() => fitmap.state.setFilter('class', { without: new Set([1, 2, 3, 4]) })")  # nothing else is drawn
    ground, ink = (np.array(opened.run(f"() => fitmap.map.theme.{name}")) for name in ("ground", "ink"))
    pixels = np.random.default_rng(1).integers([80, 20], [560, 680], (300, 2))
    views = [{}, {"x": 2, "y": -4, "scale": 40}, {"x": 5, "y": -5, "scale": 40}]  # the whole, a part, and moved
    for view in views:
        opened.run("(view) => { fitmap.map.viewport.set(view); fitmap.motion.moved(); }", view)
        opened.settle()
        shades = expected_shades(opened, density, pixels)
        assert shades.max() > 0.5
        drawn = opened.screenshot()[pixels[:, 1], pixels[:, 0]]
        wanted = ground + (ink - ground) * DENSEST * shades[:, None]
        assert np.abs(drawn - wanted).max() <= 4
    assert opened.problems == []


def test_a_key_hides_it_and_a_link_keeps_that(open_page, dense_page):
    opened = open_page(dense_page)
    place = tuple(round(v) for v in opened.run("() => fitmap.map.viewport.toScreen(2, -5)"))
    opened.run("() => fitmap.state.setFilter('class', { without: new Set([1, 2, 3, 4]) })")
    opened.settle()
    ground = opened.run("() => fitmap.map.theme.ground")
    control = opened.page.get_by_label("Density of 15,600 points")
    assert control.is_checked()
    assert opened.screenshot()[place[1], place[0]].max() < min(ground) - 30
    control.focus()
    opened.page.keyboard.press("Space")
    opened.settle()
    assert opened.screenshot()[place[1], place[0]].tolist() == ground
    opened.page.wait_for_function("() => location.hash.includes('density=0')")
    again = open_page(f"{dense_page}{opened.run('() => location.hash')}")
    assert not again.page.get_by_label("Density of 15,600 points").is_checked()

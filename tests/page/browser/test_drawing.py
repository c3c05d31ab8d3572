"""What is drawn: every image at its own place, on any screen, at any zoom."""

from dataclasses import replace

import numpy as np
import pytest

from stages.common.samples_table import make_samples
from stages.page.map_page import Points

NO_WEBGL = """
const original = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
    return kind === "webgl2" ? null : original.call(this, kind, ...rest);
};
"""
SMALL_TEXTURES = """
const original = WebGL2RenderingContext.prototype.getParameter;
WebGL2RenderingContext.prototype.getParameter = function (name) {
    return name === this.MAX_TEXTURE_SIZE ? 100 : original.call(this, name);
};
"""
CLOSE = 400.0  # a scale at which images have their full size and points lie far apart


@pytest.mark.parametrize("before", ["", SMALL_TEXTURES], ids=["webgl", "small textures"])
def test_every_point_is_drawn_with_its_own_image(open_page, ships_page, ships, before):
    opened = open_page(ships_page, before)
    opened.show(cutOut=False)
    for point in (0, 599):
        opened.look_at(point, CLOSE)
        drawn = opened.drawn_image(point)
        assert np.abs(drawn - ships.images[point][2:-2, 2:-2, None].astype(int)).max() <= 3
    assert opened.problems == []
    if before:
        assert opened.run("() => fitmap.map.renderer.atlases.length") >= 660 / 9  # cells of 28 pixels, three a side


def test_photographs_are_drawn_in_their_own_colours(open_page, write_page, ships):
    colours = np.random.default_rng(2).integers(60, 200, (600, 1, 1, 3)).astype(np.uint8)
    images = np.broadcast_to(colours, (600, 32, 32, 3)).copy()
    opened = open_page(write_page(replace(ships, images=images, reconstructions=images[::-1].copy())))
    for point in (0, 599):
        opened.look_at(point, CLOSE)
        drawn = opened.drawn_image(point, 32)
        assert np.abs(drawn - colours[point, 0, 0]).max() <= 8
        left, top = opened.at(point)
        edge = opened.screenshot()[int(top), int(np.ceil(left - opened.run("() => fitmap.map.imageSize") / 2))]
        assert np.abs(edge - opened.run("(i) => [...fitmap.map.colours.subarray(4 * i, 4 * i + 3)]", point)).max() <= 8
    opened.hover(599)
    opened.settle()
    shown = opened.pixels("#card canvas[data-of=reconstructions]")[16, 16, :3].astype(int)
    assert np.abs(shown - colours[0, 0, 0]).max() <= 8
    assert opened.page.locator("#cut-out").is_hidden()
    assert opened.problems == []


def test_without_webgl_a_line_says_so(browser, ships_page):
    page = browser.new_page()
    page.add_init_script(NO_WEBGL)
    page.goto(ships_page)
    assert "WebGL 2" in page.locator("#no-webgl").text_content()
    assert page.locator("#no-webgl").is_visible()
    page.close()


def test_images_grow_from_dots_as_one_zooms_in(ship_map):
    shares = []
    for zoom in (1, 2, 4, 8, 16, 60):
        shares.append(
            ship_map.run(
                """(zoom) => {
                    const { map, data } = fitmap;
                    map.viewport.set({ scale: map.viewport.fitScale() * zoom });
                    map.prepare();
                    let sum = 0;
                    for (let i = 0; i < data.mapped; i++) sum += map.grown(i);
                    return sum / data.mapped;
                }""",
                zoom,
            )
        )
    assert shares == sorted(shares)
    assert shares[0] < 0.5
    assert shares[-1] == 1


def test_the_map_follows_the_window(ship_map):
    ship_map.page.set_viewport_size({"width": 1200, "height": 500})
    ship_map.page.wait_for_function("() => document.getElementById('overlay').height === 500")
    ship_map.settle()
    tops = [ship_map.at(point)[1] for point in range(600)]
    assert min(tops) >= 0
    assert max(tops) <= 500
    ship_map.hover(77)
    assert ship_map.name() == "train/ship 77 & co.png"


def test_light_and_dark(open_page, ships_page):
    for scheme, bright in (("light", True), ("dark", False)):
        opened = open_page(ships_page, color_scheme=scheme)
        corner = opened.screenshot()[690, 5]
        assert (corner.min() > 200) == bright
        opened.page.locator("#theme").click()
        opened.settle()
        assert (opened.screenshot()[690, 5].min() > 200) != bright


def test_a_three_dimensional_map_turns(open_page, write_page, ships):
    draw = np.random.default_rng(3)
    deep = replace(ships, positions=draw.normal(0, 10, (600, 3)).astype(np.float32))
    opened = open_page(write_page(deep))
    before = opened.at(9)
    opened.page.mouse.move(300, 300)
    opened.page.mouse.down()
    opened.page.mouse.move(420, 340, steps=4)
    opened.page.mouse.up()
    opened.settle()
    assert np.hypot(*np.subtract(opened.at(9), before)) > 5
    turn = np.array(opened.run("() => fitmap.map.viewport.turn")).reshape(3, 3)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)
    assert abs(turn - np.eye(3)).max() > 0.1
    for point in (9, 200):
        opened.hover(point)
        assert opened.name() == f"train/ship {point} & co.png"
    view = opened.view()
    opened.page.mouse.move(300, 300)
    opened.page.mouse.down(button="right")
    opened.page.mouse.move(350, 300, steps=3)
    opened.page.mouse.up(button="right")
    assert opened.view()["x"] == pytest.approx(view["x"] - 50 / view["scale"])
    assert opened.problems == []


def test_a_lost_graphics_context_comes_back(ship_map):
    ship_map.run("""async () => {
        const gl = fitmap.map.renderer.gl;
        const lose = gl.getExtension("WEBGL_lose_context");
        const restored = new Promise((resolve) => gl.canvas.addEventListener("webglcontextrestored", resolve));
        lose.loseContext();
        await new Promise(requestAnimationFrame);
        await new Promise((resolve) => setTimeout(resolve));
        lose.restoreContext();
        await restored;
        await fitmap.ready;
    }""")
    ship_map.settle()
    assert (ship_map.screenshot()[:, 60:640] < 200).any()
    assert ship_map.problems == []


def test_seventy_thousand_points(open_page, write_page, ships):
    count = 70_000
    draw = np.random.default_rng(5)
    shades = np.arange(count, dtype=np.uint32)[:, None, None]
    images = np.broadcast_to(shades % 251, (count, 10, 10)).astype(np.uint8)  # small and flat: the page is made fast
    samples = make_samples(np.full(count, "train"), [f"n{i}" for i in range(count)], np.arange(count) % 4, list("abcd"))
    samples["value"], samples["other"] = draw.normal(size=count), draw.normal(size=count)
    opened = open_page(write_page(Points(draw.normal(0, 20, (count, 2)), samples, images=images)))
    opened.show(cutOut=False)
    for point in (1, 69_999):
        opened.look_at(point, 3000.0)
        opened.hover(point)
        assert opened.name() == f"n{point}"
        assert (opened.pixels("#card canvas[data-of=images]")[..., 0] == point % 251).all()
    assert opened.problems == []

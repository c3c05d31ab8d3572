"""Mouse, touch and keyboard, legend, search, selection, link."""

import csv
import io
import json

import numpy as np
import pytest

PANEL = 312  # CSS pixels
MIDDLE = ((1000 - PANEL) / 2, 350)


def drag(page, path, key=None, button="left"):
    page.mouse.move(*path[0])
    if key:
        page.keyboard.down(key)
    page.mouse.down(button=button)
    for left, top in path[1:]:
        page.mouse.move(left, top)
    page.mouse.up(button=button)
    if key:
        page.keyboard.up(key)


def inside(polygon: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Whether points (n, 2) lie in a polygon (k, 2), by the number of its edges to their left."""
    a, b = polygon, np.roll(polygon, 1, axis=0)
    x, y = points[:, :1], points[:, 1:]
    crosses = (a[:, 1] > y) != (b[:, 1] > y)
    side = (b[:, 0] - a[:, 0]) * (y - a[:, 1]) - (x - a[:, 0]) * (b[:, 1] - a[:, 1])
    return (crosses & ((side > 0) == (b[:, 1] > a[:, 1]))).sum(axis=1) % 2 == 1


def select_left_half(opened) -> tuple[np.ndarray, list[int]]:
    """Draw a lasso around the left half of the map; the path on the screen and the points selected."""
    path = np.array([[70, 5], [330, 5], [300, 350], [330, 695], [70, 695]], float)
    drag(opened.page, path, key="Shift")
    opened.settle()
    return path, opened.run("() => [...(fitmap.scene.state.selected ?? [])]")


# ---- the view ----


def test_dragging_moves_the_map(ship_map):
    before = ship_map.view()
    drag(ship_map.page, [(200, 60), (230, 70), (260, 100)])
    after = ship_map.view()
    assert after["x"] == pytest.approx(before["x"] - 60 / before["scale"])
    assert after["y"] == pytest.approx(before["y"] + 40 / before["scale"])


def test_the_wheel_zooms_about_the_pointer(ship_map):
    ship_map.page.mouse.move(250, 200)
    before = ship_map.view()["scale"]
    place = ship_map.run("() => fitmap.scene.view.toMap(250, 200)")
    ship_map.page.mouse.wheel(0, -300)
    ship_map.page.wait_for_function("(scale) => fitmap.scene.view.scale > 1.5 * scale", arg=before)
    assert ship_map.run("() => fitmap.scene.view.toMap(250, 200)") == pytest.approx(place)


def test_a_double_click_zooms(ship_map):
    before = ship_map.view()["scale"]
    ship_map.page.mouse.dblclick(120, 600)
    ship_map.settle()
    assert ship_map.view()["scale"] == pytest.approx(2.5 * before)


def test_two_fingers_zoom(open_page, ships_page):
    opened = open_page(ships_page, has_touch=True)
    before = opened.view()["scale"]
    session = opened.page.context.new_cdp_session(opened.page)
    for kind, reach in (("touchStart", 40), ("touchMove", 60), ("touchMove", 80), ("touchEnd", None)):
        touches = [] if reach is None else [{"x": 300 - reach, "y": 300}, {"x": 300 + reach, "y": 300}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
    opened.page.wait_for_function("(scale) => fitmap.scene.view.scale > 1.9 * scale", arg=before)
    assert opened.view()["scale"] == pytest.approx(2 * before, rel=0.01)


def test_the_keyboard_moves_zooms_and_fits(ship_map):
    ship_map.canvas.focus()
    start = ship_map.view()
    ship_map.page.keyboard.press("ArrowRight")
    ship_map.page.keyboard.press("ArrowUp")
    moved = ship_map.view()
    assert moved["x"] > start["x"]
    assert moved["y"] > start["y"]
    ship_map.page.keyboard.press("+")
    ship_map.settle()
    assert ship_map.view()["scale"] == pytest.approx(1.6 * start["scale"])
    ship_map.page.keyboard.press("-")
    ship_map.page.keyboard.press("-")
    ship_map.settle()
    assert ship_map.view()["scale"] < start["scale"]
    ship_map.page.keyboard.press("0")
    ship_map.settle()
    assert ship_map.view() == pytest.approx(start)


def test_the_keyboard_pins_and_leaves(ship_map):
    ship_map.look_at(64, 200.0)
    ship_map.canvas.focus()
    ship_map.page.keyboard.press("Enter")
    assert ship_map.state("pinned") == 64
    assert ship_map.page.locator("#spoken").text_content() == "boat #64"
    ship_map.page.keyboard.press("Escape")
    assert ship_map.state("pinned") == -1
    ship_map.page.keyboard.press("0")
    ship_map.page.keyboard.press("a")
    ship_map.settle()
    assert ship_map.page.locator("#selection-count").text_content() == "600 points selected"
    ship_map.page.keyboard.press("Escape")
    assert ship_map.state("selected") is None


def test_everything_is_reached_by_tab_and_has_a_name(ship_map):
    reached = []
    for _ in range(60):
        ship_map.page.keyboard.press("Tab")
        reached.append(
            ship_map.run("""() => {
                const { activeElement: e } = document;
                const name = e.getAttribute("aria-label") || e.labels?.[0]?.textContent || e.textContent;
                return [e.tagName, e.id, name.trim()];
            }""")
        )
    ids = {identity for _, identity, _ in reached}
    tools = {"overlay", "zoom-in", "zoom-out", "fit", "lasso", "copy-link", "theme", "panel-toggle", "search"}
    assert tools <= ids
    assert all(name for tag, _, name in reached if tag in ("BUTTON", "INPUT", "CANVAS"))
    assert sum(name.startswith("Show only") for _, _, name in reached) >= 4


def test_motion_is_smooth_unless_unwanted(open_page, ships_page):
    for wish, frames in (("reduce", 1), ("no-preference", 3)):
        opened = open_page(ships_page, reduced_motion=wish)
        scales = opened.run("""async () => {
            const scales = new Set();
            fitmap.app.camera.glideZoom(null, 2);
            do {
                scales.add(fitmap.scene.view.scale);
                await new Promise(requestAnimationFrame);
            } while (fitmap.app.camera.gliding);
            return scales.size;
        }""")
        assert scales <= frames if wish == "reduce" else scales >= frames


# ---- legend, colours, search ----


def test_the_legend_hides_and_isolates_classes(ship_map):
    boxes = ship_map.page.locator("#classes input")
    boxes.nth(1).uncheck()
    ship_map.settle()
    shown = "() => Array.from({ length: 600 }, (_, i) => i).filter((i) => fitmap.scene.colours[4 * i + 3] > 0)"
    assert {point % 4 for point in ship_map.run(shown)} == {0, 2, 3}
    ship_map.hover(1)
    ship_map.settle()
    assert ship_map.card.is_hidden() or ship_map.card.locator("[data-part=index]").text_content() != "#1"
    ship_map.page.locator("#classes li").nth(3).hover()
    ship_map.page.locator("#classes button").nth(3).click()
    assert {point % 4 for point in ship_map.run(shown)} == {3}
    ship_map.page.locator("#all-classes").click()
    assert len(ship_map.run(shown)) == 600
    ship_map.page.locator("#no-classes").click()
    assert ship_map.run(shown) == []


def test_colours_follow_the_error_and_the_neighbourhood(ship_map, ships):
    colours = "() => Array.from({ length: 600 }, (_, i) => [...fitmap.scene.colours.subarray(4 * i, 4 * i + 3)])"
    for name, values, sign in (("error", ships.errors, 1), ("kept", ships.kept, -1)):
        ship_map.page.locator(f"#colour-by input[value={name}]").check()
        warmth = np.array(ship_map.run(colours)) @ [1, 0, -1]
        assert np.corrcoef(warmth, sign * values)[0, 1] > 0.95
        assert ship_map.page.locator("#scale").is_visible()
        low = float(ship_map.page.locator("#scale-low").text_content())
        assert low == pytest.approx(np.quantile(values, 0.02), abs=0.02)
    ship_map.page.locator("#colour-by input[value=class]").check()
    assert len({tuple(colour) for colour in ship_map.run(colours)}) == 4
    assert ship_map.page.locator("#scale").is_hidden()


def test_dots_and_images_on_demand(ship_map):
    for choice, expected in (("dots", 0), ("images", 600)):
        ship_map.page.locator(f"#pictures input[value={choice}]").check()
        ship_map.settle()
        assert ship_map.run("() => fitmap.scene.listed().pictured.length") == expected


def test_search_by_index_goes_there(ship_map):
    search, said = ship_map.page.locator("#search"), ship_map.page.locator("#search-said")
    search.fill("#321")
    search.press("Enter")
    ship_map.settle()
    assert ship_map.state("pinned") == 321
    assert ship_map.at(321) == pytest.approx(MIDDLE, abs=2)
    search.fill("600")
    assert said.text_content() == "no point has this index"
    search.fill("new 59")
    search.press("Enter")
    ship_map.settle()
    assert ship_map.state("pinned") == 659
    assert ship_map.state("newShown")


def test_search_by_class_marks_its_points(ship_map):
    search, said = ship_map.page.locator("#search"), ship_map.page.locator("#search-said")
    search.fill("BOAT")
    assert said.text_content() == "boat, sail boat: 300 points"
    opacity = ship_map.run("() => Array.from({ length: 600 }, (_, i) => fitmap.scene.colours[4 * i + 3])")
    assert [value == 255 for value in opacity] == [point % 4 < 2 for point in range(600)]
    search.fill("sail")
    assert said.text_content() == "sail boat: 150 points"
    search.fill("submarine")
    assert said.text_content() == "no class has this in its name"
    search.press("Escape")
    assert ship_map.run("() => fitmap.scene.state.matched") is None


# ---- selection ----


def test_the_lasso_selects_what_lies_within(ship_map):
    screen = np.array([ship_map.at(point) for point in range(600)])
    path, selected = select_left_half(ship_map)
    expected = np.flatnonzero(inside(path, screen))
    assert 100 < len(expected) < 500
    assert selected == expected.tolist()
    shown = ship_map.page.locator("#selection-classes .amount").all_text_contents()
    counts = np.bincount(expected % 4, minlength=4)
    assert sorted(map(int, shown)) == sorted(counts[counts > 0].tolist())
    assert not ship_map.run("() => fitmap.app.lassoArmed")


def test_the_lasso_tool_works_without_shift(ship_map):
    ship_map.page.locator("#lasso").click()
    assert ship_map.page.locator("#lasso").get_attribute("aria-pressed") == "true"
    view = ship_map.view()
    drag(ship_map.page, [(70, 5), (600, 5), (600, 690), (70, 690)])
    ship_map.settle()
    assert ship_map.run("() => fitmap.scene.state.selected.size") > 300
    assert ship_map.view() == view
    ship_map.page.locator("#clear-selection").click()
    assert ship_map.page.locator("#selection").is_hidden()


def test_the_contact_sheet_shows_the_selected_images(ship_map, ships):
    _, selected = select_left_half(ship_map)
    ship_map.page.wait_for_selector(f"#contact-sheet[data-drawn='{len(selected)}']")
    third = ship_map.run("""() => {
        const sheet = document.getElementById("contact-sheet").getContext("2d");
        return [...sheet.getImageData(2 * 38, 0, 36, 36).data].filter((_, k) => k % 4 === 0);
    }""")
    nearest = ((np.arange(36) + 0.5) * 28 / 36).astype(int)
    image = ships.images[selected[2]]
    differing = np.array(third).reshape(36, 36) != image[np.ix_(nearest, nearest)]
    assert differing.mean() < 0.1  # rows halfway between two pixels may fall on either
    ship_map.page.locator("#contact-sheet").click(position={"x": 2.5 * 276 / 7, "y": 20})
    ship_map.settle()
    assert ship_map.state("pinned") == selected[2]


def test_the_selection_downloads_as_csv(ship_map, ships):
    _, selected = select_left_half(ship_map)
    with ship_map.page.expect_download() as download:
        ship_map.page.locator("#download").click()
    assert download.value.suggested_filename == "selection.csv"
    text = download.value.path().read_bytes().decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [int(row["index"]) for row in rows] == selected
    assert {row["layer"] for row in rows} == {"map"}
    np.testing.assert_array_equal(
        np.array([[row["x"], row["y"]] for row in rows], np.float32), ships.positions[selected]
    )
    np.testing.assert_array_equal(np.array([row["error"] for row in rows], np.float32), ships.errors[selected])
    names = {int(row["index"]) % 4: row["class"] for row in rows}
    assert names.get(3, "'=1+1") == "'=1+1"  # no spreadsheet may take a name for a formula
    assert names[0] == "boat"


# ---- link ----


def test_the_link_brings_back_the_view(ship_map, open_page):
    ship_map.show(colourBy="kept", newShown=True, pictures="images")
    ship_map.page.locator("#classes input").nth(2).uncheck()
    ship_map.look_at(45, 90.0)
    ship_map.click(45)
    ship_map.page.locator("#copy-link").click()
    ship_map.page.wait_for_function("() => location.hash.includes('point=45')")
    other = open_page(ship_map.page.url)
    view = ship_map.view()
    assert other.view() == pytest.approx(view, rel=1e-4)
    assert [other.state(key) for key in ("colourBy", "newShown", "pictures", "pinned")] == ["kept", True, "images", 45]
    assert other.run("() => [...fitmap.scene.state.hidden]") == [2]
    assert not other.page.locator("#classes input").nth(2).is_checked()


@pytest.mark.parametrize("fragment", ["at=1,x,NaN&colour=<script>&hide=a&point=1e9&draw=7", "point=-1&at=,,", "%%%"])
def test_a_wrong_link_does_no_harm(open_page, ships_page, ship_map, fragment):
    opened = open_page(f"{ships_page}#{fragment}")
    assert opened.view() == pytest.approx(ship_map.view())
    assert [opened.state(key) for key in ("colourBy", "pictures", "pinned")] == ["class", "auto", -1]
    assert opened.problems == []


# ---- a phone ----


@pytest.mark.parametrize("point", range(4))
def test_on_a_phone_the_card_lies_in_the_other_half_of_the_map(open_page, ships_page, point):
    opened = open_page(ships_page, viewport={"width": 390, "height": 760}, has_touch=True, device_scale_factor=2)
    opened.page.touchscreen.tap(*opened.at(point))
    opened.settle()
    assert opened.state("pinned") >= 0
    _, top = opened.at(opened.state("pinned"))
    box, height = opened.card.bounding_box(), opened.run("() => fitmap.scene.view.height")
    if top < height / 2:
        assert box["y"] + box["height"] == pytest.approx(height - 8, abs=1)
    else:
        assert box["y"] == 8


def test_a_click_lets_the_keyboard_in_without_a_focus_ring(ship_map):
    ship_map.click(33)
    assert not ship_map.run("() => document.activeElement.matches(':focus-visible')")
    before = ship_map.view()["x"]
    ship_map.page.keyboard.press("ArrowRight")
    assert ship_map.view()["x"] > before


def test_a_phone(open_page, ships_page):
    opened = open_page(ships_page, viewport={"width": 390, "height": 760}, has_touch=True, device_scale_factor=2)
    assert opened.run("() => document.documentElement.scrollWidth") <= 390
    assert opened.page.locator("#panel-body").is_hidden()
    screen = [opened.at(point) for point in range(600)]
    assert all(0 <= left <= 390 and 0 <= top <= 700 for left, top in screen)
    opened.page.touchscreen.tap(*opened.at(20))
    opened.settle()
    pinned = opened.state("pinned")
    assert pinned >= 0
    box = opened.card.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    for tool in opened.page.locator("#tools button").all():
        assert min(tool.bounding_box()[side] for side in ("width", "height")) >= 36
    opened.page.locator("#panel-toggle").tap()
    assert opened.page.locator("#search").is_visible()
    assert json.dumps(opened.problems) == "[]"

"""Mouse, touch and keyboard on the map, selection, link, phone."""

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
    return path, opened.run("() => [...(fitmap.state.selected ?? [])]")


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
    place = ship_map.run("() => fitmap.map.viewport.toMap(250, 200)")
    ship_map.page.mouse.wheel(0, -300)
    ship_map.page.wait_for_function("(scale) => fitmap.map.viewport.scale > 1.5 * scale", arg=before)
    assert ship_map.run("() => fitmap.map.viewport.toMap(250, 200)") == pytest.approx(place)


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
    opened.page.wait_for_function("(scale) => fitmap.map.viewport.scale > 1.9 * scale", arg=before)
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
    assert ship_map.page.locator("#spoken").text_content() == "boat train/ship 64 & co.png"
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
    for _ in range(80):
        ship_map.page.keyboard.press("Tab")
        reached.append(
            ship_map.run("""() => {
                const { activeElement: e } = document;
                const name = e.getAttribute("aria-label") || e.labels?.[0]?.textContent || e.textContent;
                return [e.tagName, e.id, name.trim()];
            }""")
        )
    ids = {identity for _, identity, _ in reached}
    tools = {
        "overlay",
        "zoom-in",
        "zoom-out",
        "fit",
        "lasso",
        "copy-link",
        "theme",
        "panel-toggle",
        "search",
        "colour-by",
    }
    assert tools <= ids
    assert all(name for tag, _, name in reached if tag in ("BUTTON", "INPUT", "CANVAS"))
    assert sum(name.startswith("Show only") for _, _, name in reached) >= 4
    groups = ship_map.run("""() => [...document.querySelectorAll("[role=radiogroup]")].map((group) =>
        document.getElementById(group.getAttribute("aria-labelledby")).textContent)""")
    assert groups == ["Draw points as"]


def test_motion_is_smooth_unless_unwanted(open_page, ships_page):
    for wish, frames in (("reduce", 1), ("no-preference", 3)):
        opened = open_page(ships_page, reduced_motion=wish)
        scales = opened.run("""async () => {
            const scales = new Set(), next = requestAnimationFrame;
            let now = performance.now(); // a clock by which each frame takes 50 ms
            performance.now = () => now;
            window.requestAnimationFrame = (draw) => next(() => draw((now += 50)));
            fitmap.motion.glideZoom(null, 2);
            do {
                scales.add(fitmap.map.viewport.scale);
                await new Promise(requestAnimationFrame);
            } while (fitmap.motion.gliding);
            return scales.size;
        }""")
        assert scales <= frames if wish == "reduce" else scales >= frames


# ---- search ----


def test_search_finds_words_in_names_text_and_classes_and_walks_through_them(ship_map):
    search, said = ship_map.page.locator("#search"), ship_map.page.locator("#search-said")
    search.fill("SAIL entry busan")
    expected = [i for i in range(600) if i % 4 == 1 and i % 3]  # no sail boat lies in Busan
    assert said.text_content() == "nothing found"
    search.fill("SAIL entry kiel")
    expected = [i for i in expected if i % 7 != 6]
    assert said.text_content() == f"{len(expected)} matches"
    assert ship_map.run("() => fitmap.state.found()") == expected
    opacity = ship_map.run("() => Array.from({ length: 600 }, (_, i) => fitmap.map.colours[4 * i + 3])")
    assert [i for i, value in enumerate(opacity) if value == 255] == expected
    for key, position in (("ArrowDown", 0), ("ArrowDown", 1), ("ArrowUp", 0), ("Enter", 1)):
        search.press(key)
        ship_map.settle()
        assert ship_map.state("pinned") == expected[position]
        assert ship_map.page.locator("#matches [aria-selected=true]").get_attribute("id") == f"match-{position}"
    assert ship_map.at(expected[1]) == pytest.approx(MIDDLE, abs=2)
    assert ship_map.card.locator("[data-part=step]").text_content() == f"2 of {len(expected)} points"
    ship_map.card.locator("[data-part=next]").click()
    assert ship_map.state("pinned") == expected[2]
    for _ in range(2):
        ship_map.page.keyboard.press("Escape")
    assert ship_map.run("() => fitmap.state.matched") is None
    assert search.input_value() == ""


def test_the_list_of_matches_follows_the_filters_and_stays_at_the_present_one(ship_map):
    search, said = ship_map.page.locator("#search"), ship_map.page.locator("#search-said")
    search.fill("entry")
    search.press("ArrowDown")
    search.press("ArrowDown")
    assert ship_map.state("pinned") == 2
    ship_map.run("() => fitmap.state.setFilter('column:tonnes', { from: 3, to: 30 })")
    expected = [i for i in range(2, 21) if i % 3 and i % 10 != 9]
    assert said.text_content() == f"{len(expected)} matches"
    assert ship_map.page.locator("#matches li").count() == len(expected)
    assert ship_map.page.locator("#matches [aria-selected=true]").get_attribute("id") == "match-0"
    search.press("ArrowDown")
    assert ship_map.state("pinned") == expected[1]
    assert ship_map.state("steps") == expected


def test_a_few_selected_points_show_their_images(ship_map):
    ship_map.run("() => fitmap.navigator.select([1, 2, 3, 5, 8, 13])")
    ship_map.settle()
    assert sorted(ship_map.run("() => fitmap.map.listed().pictured")) == [1, 2, 3, 5, 8, 13]


def test_search_by_row_goes_there(ship_map):
    search = ship_map.page.locator("#search")
    search.fill("#321")
    search.press("Enter")
    assert ship_map.state("pinned") == 321
    search.fill("#659")
    search.press("Enter")
    assert ship_map.state("pinned") == 659
    assert ship_map.state("newShown")
    ship_map.run("() => fitmap.state.change({ newShown: false })")
    search.fill(ship_map.run("() => fitmap.state.data.nameOf(659)"))
    assert ship_map.page.locator("#search-said").text_content() == "1 match, hidden by a filter or an unticked layer"
    search.fill("#660")
    assert ship_map.page.locator("#search-said").text_content() == "nothing found"


def test_dots_and_images_on_demand(ship_map):
    for choice, expected in (("dots", 0), ("images", 600)):
        ship_map.page.locator(f"#pictures input[value={choice}]").check()
        ship_map.settle()
        assert ship_map.run("() => fitmap.map.listed().pictured.length") == expected


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
    assert not ship_map.run("() => fitmap.navigator.lassoArmed")


def test_the_lasso_tool_works_without_shift(ship_map):
    ship_map.page.locator("#lasso").click()
    assert ship_map.page.locator("#lasso").get_attribute("aria-pressed") == "true"
    view = ship_map.view()
    drag(ship_map.page, [(70, 5), (600, 5), (600, 690), (70, 690)])
    ship_map.settle()
    assert ship_map.run("() => fitmap.state.selected.size") > 300
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


# ---- link ----


def test_the_link_brings_back_the_view(ship_map, open_page):
    ship_map.show(colourBy="column:built", newShown=True, pictures="images", search="ship")
    ship_map.run("""() => fitmap.state.setFilters([
        ["class", { without: new Set([3]) }], ["column:tonnes", { from: 10, to: 800 }]])""")
    ship_map.look_at(45, 90.0)
    ship_map.click(45)
    ship_map.page.locator("#copy-link").click()
    ship_map.page.wait_for_function("() => location.hash.includes('point=45')")
    other = open_page(ship_map.page.url)
    view = ship_map.view()
    assert other.view() == pytest.approx(view, rel=1e-4)
    keys = ("colourBy", "newShown", "pictures", "pinned", "search")
    assert [other.state(key) for key in keys] == ["column:built", True, "images", 45, "ship"]
    assert other.name() == "train/ship 45 & co.png"
    assert other.run("() => fitmap.state.found()") == ship_map.run("() => fitmap.state.found()")
    assert other.problems == []


WRONG = "at=1,x,NaN&colour=<script>&filter:class=no,1&filter:kept=within,1&point=1e9&draw=7&turn=%%%"


def test_a_wrong_link_does_no_harm(open_page, ships_page, ship_map):
    opened = open_page(f"{ships_page}#{WRONG}")
    assert opened.view() == pytest.approx(ship_map.view())
    assert [opened.state(key) for key in ("colourBy", "pictures", "pinned")] == ["class", "auto", -1]
    assert opened.problems == []


# ---- a phone ----


def test_on_a_phone_all_fits_and_the_card_lies_in_the_other_half_of_the_map(open_page, ships_page):
    opened = open_page(ships_page, viewport={"width": 390, "height": 760}, has_touch=True, device_scale_factor=2)
    assert opened.run("() => document.documentElement.scrollWidth") <= 390
    assert opened.page.locator("#panel-body").is_hidden()
    screen = [opened.at(point) for point in range(600)]
    assert all(0 <= left <= 390 and 0 <= top <= 700 for left, top in screen)
    height = opened.run("() => fitmap.map.viewport.height")
    for point in (2, 20):
        opened.page.touchscreen.tap(*opened.at(point))
        opened.settle()
        assert opened.state("pinned") >= 0
        _, top = opened.at(opened.state("pinned"))
        box = opened.card.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        if top < height / 2:
            assert box["y"] + box["height"] == pytest.approx(height - 8, abs=1)
        else:
            assert box["y"] == 8
    for tool in opened.page.locator("#tools button").all():
        assert min(tool.bounding_box()[side] for side in ("width", "height")) >= 36
    opened.page.locator("#panel-toggle").tap()
    assert opened.page.locator("#search").is_visible()
    assert opened.problems == []

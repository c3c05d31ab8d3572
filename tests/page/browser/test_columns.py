"""Colour by any column, and filters that work together."""

import numpy as np
import pandas as pd
import pytest

from stages.common.samples_table import make_samples
from stages.page.map_page import Points

COLOURS = "() => Array.from({ length: 600 }, (_, i) => [...fitmap.map.colours.subarray(4 * i, 4 * i + 3)])"
SHOWN = "() => Array.from({ length: 600 }, (_, i) => i).filter((i) => fitmap.map.colours[4 * i + 3] > 0)"
GREY = [128, 128, 128]


def colour_by(opened, title: str) -> np.ndarray:
    opened.page.locator("#colour-by").select_option(label=title)
    return np.array(opened.run(COLOURS))


def open_filter(opened, title: str):
    details = opened.page.locator("#filter-list details").filter(has=opened.page.get_by_text(title, exact=True))
    details.locator("summary").first.click()
    return details


def test_every_type_of_column_colours_the_points(ship_map, ships):
    options = ship_map.page.locator("#colour-by option").all_text_contents()
    assert options == ["class", "tonnes", "built", "harbour", "reconstruction error", "neighbourhood kept"]
    missing = ships.samples["tonnes"].isna().to_numpy()
    for title, values, sign in (
        ("tonnes", ships.samples["tonnes"], 1),
        ("built", ships.samples["built"].astype("int64"), 1),
        ("reconstruction error", ships.errors, 1),
        ("neighbourhood kept", ships.kept, -1),
    ):
        colours = colour_by(ship_map, title)
        known = ~missing if title == "tonnes" else slice(None)
        assert np.corrcoef((colours @ [1, 0, -1])[known], sign * np.asarray(values, float)[known])[0, 1] > 0.95
        if title == "tonnes":
            assert (colours[missing] == GREY).all()
        assert ship_map.page.locator("#legend .ticks span").count() >= 3
    colours = colour_by(ship_map, "harbour")
    codes = ships.samples["harbour"].cat.codes.to_numpy()
    assert (colours[codes < 0] == GREY).all()
    assert len(np.unique(colours[codes >= 0], axis=0)) == 4
    assert ship_map.page.locator("#legend .name").all_text_contents()[-1] == "missing"
    assert len({tuple(colour) for colour in colour_by(ship_map, "class")}) == 4


def test_the_legend_hides_and_isolates(ship_map):
    boxes = ship_map.page.locator("#legend input[type=checkbox]")
    boxes.nth(1).uncheck()
    assert {point % 4 for point in ship_map.run(SHOWN)} == {0, 2, 3}
    ship_map.hover(1)
    assert ship_map.name() != "train/ship 1 & co.png"
    ship_map.page.locator("#legend li").nth(3).hover()
    ship_map.page.get_by_label("Show only =1+1").click()
    assert {point % 4 for point in ship_map.run(SHOWN)} == {3}
    ship_map.page.get_by_label("Show all: class").click()
    assert len(ship_map.run(SHOWN)) == 600
    ship_map.page.get_by_label("Show none: class").click()
    assert ship_map.run(SHOWN) == []


def test_filters_work_together_and_on_each_other_s_charts(ship_map):
    tonnes = open_filter(ship_map, "tonnes")
    harbour = open_filter(ship_map, "harbour")
    tonnes.get_by_label("tonnes: from").fill("150")
    tonnes.get_by_label("tonnes: to").fill("300")
    tonnes.get_by_label("tonnes: to").press("Enter")
    within = [i for i in range(100, 201) if i % 10 != 9]
    assert ship_map.run(SHOWN) == within
    counts = dict(
        zip(harbour.locator(".name").all_text_contents(), harbour.locator(".amount").all_text_contents(), strict=True)
    )
    assert int(counts["Kiel"]) == sum(i % 4 == 1 and i % 7 != 6 for i in within)
    assert int(counts["missing"]) == sum(i % 7 == 6 for i in within)
    harbour.get_by_label("Kiel").first.uncheck()
    left = [i for i in within if not (i % 4 == 1 and i % 7 != 6)]
    assert ship_map.run(SHOWN) == left
    assert ship_map.page.locator("#found").text_content() == f"{len(left)} of 600"
    assert ship_map.page.locator("#legend .amount").nth(0).text_content() == str(sum(i % 4 == 0 for i in left))
    ship_map.page.locator("#select-found").click()
    assert ship_map.run("() => [...fitmap.state.selected]") == left
    ship_map.page.locator("#reset-filters").click()
    assert len(ship_map.run(SHOWN)) == 600
    assert ship_map.problems == []


def test_a_brush_keeps_a_range_and_a_click_ends_it(ship_map):
    box = open_filter(ship_map, "built").locator("canvas").bounding_box()
    middle = box["y"] + box["height"] / 2
    ship_map.page.mouse.move(box["x"] + box["width"] * 0.25, middle)
    ship_map.page.mouse.down()
    ship_map.page.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=3)
    ship_map.page.mouse.up()
    shown = ship_map.run(SHOWN)
    assert shown == list(range(shown[0], shown[-1] + 1))
    assert (shown[0], shown[-1]) == pytest.approx((150, 299), abs=4)
    ship_map.page.mouse.click(box["x"] + 10, middle)
    assert len(ship_map.run(SHOWN)) == 600


def test_vectors_without_images_are_points_with_names(open_page, write_page, ships):
    bare = Points(
        ships.positions, ships.samples.assign(label=pd.Categorical([None] * 600)), neighbours=ships.neighbours
    )
    opened = open_page(write_page(bare))
    assert opened.state("colourBy") == "column:harbour"  # there are no classes
    opened.click(7)
    assert opened.name() == "train/ship 7 & co.png"
    assert opened.card.locator("canvas").count() == 0
    assert opened.card.locator("[data-part=neighbours] button").first.text_content().startswith("train/ship ")
    opened.page.locator("#search").fill("brief 12")
    opened.page.locator("#select-found").click()
    names = opened.page.locator("#selected-names li")
    assert names.all_text_contents() == [f"train/ship {i} & co.png" for i in range(0, 600, 3) if "12" in str(i)]
    assert opened.page.locator("#sheet-frame").is_hidden()
    assert opened.problems == []


def test_ten_thousand_categories_and_long_texts(open_page, write_page, ships):
    count = 12_000
    names = [f"</script>{i % 10_000}" for i in range(count)]
    samples = make_samples(np.full(count, "train"), names, np.arange(count) % 10_000, names[:10_000])
    samples["text"] = ["=HYPERLINK(1)" * 80_000 if i == 3 else f"t {i}" for i in range(count)]
    samples["many"] = pd.Categorical(names)
    positions = np.random.default_rng(0).normal(size=(count, 2))
    opened = open_page(write_page(Points(positions, samples)))
    assert opened.page.locator("#legend li").count() <= 31
    opened.page.locator("#colour-by").select_option(label="many")
    opened.show(pinned=3)
    assert opened.card.locator("details p").text_content().startswith("=HYPERLINK")
    assert opened.problems == []

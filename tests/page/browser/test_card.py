"""The card of a point: the right one, its exact pixels, its name and file, its columns, its neighbours."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest


def test_hover_names_the_point_under_the_pointer(ship_map):
    for point in range(0, 600, 67):
        ship_map.hover(point)
        assert ship_map.name() == f"train/ship {point} & co.png"


def test_the_card_shows_exactly_the_pixels(ship_map, ships):
    ship_map.hover(311)
    ship_map.settle()
    shown = ship_map.pixels("#card canvas[data-of=images]")
    np.testing.assert_array_equal(shown[..., 0], ships.images[311])
    np.testing.assert_array_equal(shown[..., 1], ships.images[311])
    assert (shown[..., 3] == 255).all()
    shown = ship_map.pixels("#card canvas[data-of=reconstructions]")
    np.testing.assert_array_equal(shown[..., 2], ships.reconstructions[311])


def test_the_card_shows_class_and_columns(ship_map, ships):
    ship_map.click(41)
    ship_map.settle()
    card = ship_map.card
    assert card.locator("[data-part=class]").text_content() == "sail boat"
    names = card.locator("dt").all_text_contents()
    values = dict(zip(names, card.locator("dd").all(), strict=True))
    assert names == ["tonnes", "built", "log", "site", "reconstruction error", "neighbourhood kept"]  # no harbour
    assert values["tonnes"].text_content() == "61.5"
    assert values["built"].text_content() == "1990-02-11"
    assert values["reconstruction error"].text_content() == f"{ships.errors[41]:.4f}"
    assert values["log"].locator("summary").text_content().endswith("…")
    values["log"].locator("summary").click()
    assert values["log"].locator("p").is_visible()
    link = values["site"].locator("a")
    assert link.get_attribute("href") == "https://ships.example/41?a=1&b=<2>"
    assert link.get_attribute("rel") == "noopener noreferrer"


def test_a_click_leads_to_the_file_and_the_name_is_copied(open_page, write_page, ships):
    address = write_page(replace(ships, folder="photos/"))
    file = Path(address.removeprefix("file://")).parent / "photos/train/ship 12 & co.png"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\x89PNG")
    opened = open_page(address)
    opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.click(12)
    opened.settle()
    opened.card.locator("[data-part=copy]").click()
    assert opened.run("() => navigator.clipboard.readText()") == "train/ship 12 & co.png"
    href = opened.run("() => document.querySelector('#card [data-part=name] a').href")
    assert href == file.as_uri().replace("&", "%26")
    with opened.page.context.expect_page() as other:
        opened.card.locator("[data-part=name] a").click()
    assert other.value.url == href


def test_lines_and_buttons_lead_to_the_latent_neighbours(ship_map, ships):
    ship_map.click(100)
    ship_map.page.mouse.move(5, 690)
    ship_map.settle()
    buttons = ship_map.card.locator("[data-part=neighbours] button")
    labels = buttons.evaluate_all("(all) => all.map((b) => b.title)")
    assert [int(label.split()[-3]) for label in labels] == ships.neighbours[100].tolist()
    drawn = "([x, y]) => document.getElementById('overlay').getContext('2d').getImageData(x, y, 1, 1).data[3]"
    left, top = ship_map.at(100)
    for neighbour in ships.neighbours[100]:
        x, y = ship_map.at(int(neighbour))
        assert ship_map.run(drawn, [(left + x) / 2, (top + y) / 2]) > 0
    buttons.nth(2).click()
    ship_map.settle()
    neighbour = int(ships.neighbours[100][2])
    assert ship_map.state("pinned") == neighbour
    middle = (1000 - ship_map.page.locator("#panel").bounding_box()["width"]) / 2
    assert ship_map.at(neighbour) == pytest.approx([middle, 350], abs=2)


def test_a_click_pins_and_another_releases(ship_map):
    ship_map.click(33)
    ship_map.hover(60)
    assert ship_map.name() == "train/ship 60 & co.png"
    ship_map.page.mouse.move(5, 690)
    assert ship_map.name() == "train/ship 33 & co.png"
    ship_map.page.keyboard.press("Escape")
    assert ship_map.name() == ""


def test_the_card_stays_on_the_screen(ship_map, ships):
    for point in (ships.positions[:, 0].argmax(), ships.positions[:, 1].argmin(), ships.positions[:, 1].argmax()):
        ship_map.hover(int(point))
        ship_map.settle()
        box = ship_map.card.bounding_box()
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= ship_map.page.locator("#panel").bounding_box()["x"]
        assert box["y"] + box["height"] <= 700


def test_new_images_are_a_layer_of_their_own(ship_map, new_ships):
    assert ship_map.page.locator("#new-name").text_content() == "Test ships (60)"
    ship_map.hover(605)
    assert ship_map.name() != "test/ship 5 & co.png"
    ship_map.page.locator("#new-shown").check()
    ship_map.settle()
    ship_map.hover(605)
    assert ship_map.name() == "test/ship 5 & co.png"
    shown = ship_map.pixels("#card canvas[data-of=images]")
    np.testing.assert_array_equal(shown[..., 0], new_ships.images[5])
    assert "neighbourhood kept" not in ship_map.card.locator("dl").text_content()  # the run did not tell


def test_the_panel_lists_metrics_and_settings(ship_map):
    listed = {}
    for name in ("metrics", "params"):
        tables = ship_map.page.locator(f"#{name} table")
        listed[name] = [tables.nth(k).text_content() for k in range(tables.count())]
    assert listed["metrics"] == ["maptrustworthiness0.9877", "map: agreementmasts0.5"]
    assert listed["params"] == ["seed3", "networkhidden[64,32]biastrue"]

"""Looking at single points: the right one, its exact pixels, its neighbours."""

import base64

import numpy as np
import pytest


def index_on(opened) -> str:
    opened.settle()
    return opened.card.locator("[data-part=index]").text_content()


def test_hover_names_the_point_under_the_pointer(ship_map):
    for point in range(0, 600, 23):
        ship_map.hover(point)
        assert index_on(ship_map) == f"#{point}"


@pytest.mark.parametrize("point", [0, 311, 599])
def test_hover_shows_exactly_its_pixels(ship_map, ships, point):
    ship_map.hover(point)
    ship_map.settle()
    shown = ship_map.pixels("#card canvas[data-of=images]")
    np.testing.assert_array_equal(shown[..., 0], ships.images[point])
    np.testing.assert_array_equal(shown[..., 1], ships.images[point])
    assert (shown[..., 3] == 255).all()
    shown = ship_map.pixels("#card canvas[data-of=reconstructions]")
    np.testing.assert_array_equal(shown[..., 2], ships.reconstructions[point])


@pytest.mark.parametrize("kind", ["images", "reconstructions"])
def test_every_sprite_cell_is_its_image(ship_map, ships, new_ships, kind):
    read = ship_map.run(
        """async (kind) => {
            const { data } = fitmap.scene;
            const context = new OffscreenCanvas(28, 28).getContext("2d", { willReadFrequently: true });
            const bytes = [];
            for (let i = 0; i < data.total; i++) {
                await data[kind].draw(context, i, 0, 0, 28, 28);
                const pixels = context.getImageData(0, 0, 28, 28).data;
                for (let k = 0; k < pixels.length; k += 4) bytes.push(pixels[k]);
            }
            return Array.from({ length: data.total }, (_, i) =>
                btoa(String.fromCharCode(...bytes.slice(784 * i, 784 * (i + 1)))));
        }""",
        kind,
    )
    found = np.stack([np.frombuffer(base64.b64decode(text), np.uint8).reshape(28, 28) for text in read])
    np.testing.assert_array_equal(found, np.concatenate([getattr(ships, kind), getattr(new_ships, kind)]))


def test_the_card_shows_class_and_figures(ship_map, ships):
    ship_map.hover(41)
    ship_map.settle()
    assert ship_map.card.locator("[data-part=class]").text_content() == "sail boat"
    assert ship_map.card.locator("dd").all_text_contents() == [f"{ships.errors[41]:.4f}", f"{ships.kept[41]:.2f}"]


def test_lines_lead_to_the_latent_neighbours(ship_map, ships):
    ship_map.click(100)
    ship_map.page.mouse.move(5, 690)
    ship_map.settle()
    labels = ship_map.card.locator("[data-part=neighbours] button").evaluate_all("(all) => all.map((b) => b.title)")
    assert [int(label.split("#")[1]) for label in labels] == ships.neighbours[100].tolist()
    drawn = "([x, y]) => document.getElementById('overlay').getContext('2d').getImageData(x, y, 1, 1).data[3]"
    left, top = ship_map.at(100)
    for neighbour in ships.neighbours[100]:
        x, y = ship_map.at(int(neighbour))
        assert ship_map.run(drawn, [(left + x) / 2, (top + y) / 2]) > 0


def test_a_click_pins_and_another_releases(ship_map):
    ship_map.click(33)
    ship_map.hover(60)
    assert index_on(ship_map) == "#60"
    ship_map.page.mouse.move(5, 690)
    assert index_on(ship_map) == "#33"
    ship_map.click(33)
    ship_map.page.mouse.move(5, 690)
    ship_map.settle()
    assert ship_map.card.is_hidden()


def test_a_neighbour_on_the_card_leads_to_its_point(ship_map, ships):
    ship_map.click(100)
    ship_map.settle()
    ship_map.card.locator("[data-part=neighbours] button").nth(2).click()
    ship_map.settle()
    neighbour = int(ships.neighbours[100][2])
    assert ship_map.state("pinned") == neighbour
    middle = (1000 - ship_map.page.locator("#panel").bounding_box()["width"]) / 2
    assert ship_map.at(neighbour) == pytest.approx([middle, 350], abs=2)


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
    assert ship_map.card.is_hidden() or index_on(ship_map) != "new #5"
    ship_map.page.locator("#new-shown").check()
    ship_map.settle()
    ship_map.hover(605)
    assert index_on(ship_map) == "new #5"
    shown = ship_map.pixels("#card canvas[data-of=images]")
    np.testing.assert_array_equal(shown[..., 0], new_ships.images[5])
    assert ship_map.card.locator("dd").count() == 1  # the run did not tell how well its neighbourhood is kept


def test_the_panel_lists_metrics_and_parameters(ship_map):
    listed = {}
    for name in ("metrics", "params"):
        tables = ship_map.page.locator(f"#{name} table")
        listed[name] = [tables.nth(k).text_content() for k in range(tables.count())]
    assert listed["metrics"] == ["maptrustworthiness0.9877", "map: agreementmasts0.5"]
    assert listed["params"] == ["seed3", "networkhidden[64,32]biastrue"]

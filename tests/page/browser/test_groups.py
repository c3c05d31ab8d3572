"""Names and outlines on the map as long as it is far, and the list of groups."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from stages.common.samples_table import make_samples
from stages.page.map_groups import Group, outline
from stages.page.map_page import GROUP, Points


@pytest.fixture(scope="module")
def groups(ships) -> list[Group]:
    """Of the four classes of ships the first three, and the first half of the fourth."""
    rows = [np.arange(number, 600 if number < 3 else 300, 4) for number in range(4)]
    names = ["boat 1", "sail boat 1", "</script><i> 1", "=1+1 1"]
    found = []
    for name, members in zip(names, rows, strict=True):
        positions = ships.positions[members]
        medoid = np.linalg.norm(positions - positions.mean(axis=0), axis=1).argmin()
        found.append(Group(name, int(members[medoid]), outline(positions), f"keel {name}"))
    return found


def grouped(ships: Points, groups: list[Group], **changes) -> Points:
    """Return the ships with the column of their groups, and changed columns."""
    numbers = np.arange(600)
    codes = np.where((numbers % 4 == 3) & (numbers >= 300), -1, numbers % 4)
    column = pd.Categorical.from_codes(codes, [group.name for group in groups])
    return replace(ships, samples=ships.samples.assign(**{GROUP: column}, **changes))


@pytest.fixture
def group_map(open_page, write_page, ships, groups):
    return open_page(write_page(grouped(ships, groups), groups=groups))


def labels_of(opened) -> dict[str, dict]:
    """Return the labels on the map and the boxes they fill."""
    opened.settle()
    if opened.page.locator("#map-labels").is_hidden():
        return {}
    spans = opened.page.locator("#map-labels span:not([hidden])").all()
    return {span.text_content(): span.bounding_box() for span in spans}


def ink_on_outline(opened, group: Group) -> float:
    """Return the share of an outline's corners at which a map without its points is not of the ground's colour."""
    return opened.run(
        """(corners) => {
            const { map } = fitmap;
            map.colours.fill(0);
            map.recoloured = true;
            map.version++; // or the drawing that is there would slide
            map.draw();
            const { gl } = map.renderer;
            const pixel = new Uint8Array(4);
            const inked = corners.filter(([x, y]) => {
                const [left, top] = map.viewport.toScreen(x, y);
                gl.readPixels(left + 160, map.viewport.height + 160 - top, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
                return pixel.subarray(0, 3).some((v, k) => Math.abs(v - map.theme.ground[k]) > 20);
            });
            return inked.length / corners.length;
        }""",
        group.outline[0].tolist(),
    )


def test_groups_have_outlines_and_names_that_give_way_to_images(group_map, groups):
    labels = labels_of(group_map)
    assert set(labels) == {group.name for group in groups}
    for group in groups:
        box = labels[group.name]
        assert group_map.at(group.medoid) == pytest.approx(
            [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2], abs=1
        )
    assert group_map.problems == []
    assert ink_on_outline(group_map, groups[1]) > 0.9
    group_map.page.get_by_label("Groups and names on the map").uncheck()
    assert labels_of(group_map) == {}
    assert ink_on_outline(group_map, groups[1]) == 0
    group_map.page.get_by_label("Groups and names on the map").check()
    group_map.look_at(groups[1].medoid, 200.0)
    assert labels_of(group_map) == {}


def test_groups_are_named_by_the_column_that_colours_the_points(group_map):
    group_map.page.locator("#colour-by").select_option(label="harbour")
    assert set(labels_of(group_map)) == {"Busan", "Kiel", "=cmd()", "</script><i>x"}
    group_map.run("() => fitmap.labels.addTag([...Array(600).keys()].filter((i) => i % 4 === 2), 'wide')")
    group_map.page.locator("#colour-by").select_option(label="tags")
    assert set(labels_of(group_map)) == {"wide"}
    group_map.page.locator("#colour-by").select_option(label="class")
    group_map.run("() => fitmap.state.setFilter('class', { without: new Set([2]) })")
    assert "sail boat 1" not in labels_of(group_map)
    assert len(labels_of(group_map)) == 3


def test_without_classes_the_medoid_s_image_or_name_stands_for_a_group(open_page, write_page, ships, groups):
    bare = grouped(ships, groups, label=pd.Categorical([None] * 600), harbour=np.arange(600))
    opened = open_page(write_page(bare, groups=groups))
    opened.settle()
    medoids = opened.page.locator("#map-labels canvas[data-point]").evaluate_all(
        "(all) => all.map((c) => c.dataset.point)"
    )
    assert sorted(map(int, medoids)) == sorted(group.medoid for group in groups)
    opened = open_page(write_page(replace(bare, images=None, reconstructions=None), groups=groups))
    assert set(labels_of(opened)) == {f"train/ship {group.medoid} & co.png" for group in groups}
    assert opened.problems == []


def test_the_list_of_groups_flies_to_each(group_map, groups, ships):
    group_map.page.locator("#groups summary").click()
    entries = group_map.page.locator("#group-list li")
    sizes = [150, 150, 150, 75]
    said = [f"{g.name}{size} points{g.told_by}" for g, size in zip(groups, sizes, strict=True)]
    assert entries.all_text_contents() == said
    group_map.run("() => fitmap.state.setFilter('class', { without: new Set([3]) })")
    for number, group in enumerate(groups):
        entries.nth(number).locator("button").click()
        group_map.settle()
        members = np.arange(number, 600 if number < 3 else 300, 4)
        screen = np.array(group_map.run("(points) => points.map((i) => fitmap.map.screenOf(i))", members.tolist()))
        assert (screen.min(axis=0) > 0).all()
        assert (screen.max(axis=0) < [688, 700]).all()
        assert max(np.ptp(screen, axis=0) / [688, 700]) == pytest.approx(0.7, abs=0.02)
        assert group_map.page.locator("#spoken").text_content() == group.name
    assert group_map.problems == []


def test_on_a_map_without_groups_names_stand_where_their_category_lies(ship_map, ships):
    labels = labels_of(ship_map)
    assert list(labels) == ["boat", "sail boat", "</script><img src=x onerror…", "=1+1"]
    for number, box in enumerate(labels.values()):
        own = ships.positions[np.arange(600) % 4 == number].mean(axis=0).tolist()
        left, top = ship_map.run("(at) => fitmap.map.viewport.toScreen(...at)", own)
        assert abs(box["x"] + box["width"] / 2 - left) < 60
        assert abs(box["y"] + box["height"] / 2 - top) < 60
    ship_map.look_at(5, 200.0)
    assert labels_of(ship_map) == {}


def test_a_map_in_three_dimensions_lists_its_groups(open_page, write_page):
    draw = np.random.default_rng(0)
    samples = make_samples(["train"] * 80, [f"{i}" for i in range(80)], np.zeros(80, int), ["a"])
    samples[GROUP] = pd.Categorical.from_codes(np.arange(80) // 40, ["a 1", "a 2"])
    points = Points(draw.normal(size=(80, 3)), samples)
    opened = open_page(write_page(points, groups=[Group("a 1", 3, []), Group("a 2", 50, [])]))
    opened.page.locator("#groups summary").click()
    opened.page.get_by_label("Go to the group a 2").click()
    opened.settle()
    assert labels_of(opened) == {}
    assert opened.problems == []

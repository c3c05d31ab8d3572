"""Labels and tags: set, undone, kept in the browser, downloaded."""

import csv
import io

import numpy as np

from stages.images.merge_labels import merge_labels


def select(opened, points: list[int]) -> None:
    opened.run("(points) => fitmap.navigator.select(points)", points)
    opened.settle()


def submit(opened, field: str, text: str) -> None:
    opened.page.locator(f"#{field}").fill(text)
    opened.page.locator(f"#{field}").press("Enter")
    opened.settle()


def downloaded(opened, button: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO(opened.download(button).read_bytes().decode())))


def test_tags_and_classes_are_set_shown_removed_and_undone(ship_map):
    select(ship_map, [4, 9])
    submit(ship_map, "new-tag", "odd; one")
    submit(ship_map, "new-tag", "wet")
    submit(ship_map, "new-label", "dinghy")
    assert ship_map.run("() => fitmap.labels.tagsOf(9)") == ["odd, one", "wet"]
    assert ship_map.run("() => [4, 5, 9].map((i) => fitmap.data.classOf(i))") == ["dinghy", "sail boat", "dinghy"]
    assert ship_map.page.locator("#legend .name").all_text_contents()[-1] == "dinghy"
    ship_map.page.locator("#colour-by").select_option(label="tags")
    assert ship_map.page.locator("#legend .name").all_text_contents()[0] == "odd, one; wet"
    ship_map.show(pinned=9)
    assert ship_map.card.locator(".tag").all_text_contents() == ["odd, one", "wet"]
    ship_map.page.get_by_label("Remove the tag wet").click()
    assert ship_map.run("() => fitmap.labels.allTags()") == ["odd, one"]
    for expected in (["odd, one", "wet"], ["odd, one", "wet"], ["odd, one"], []):
        ship_map.page.locator("#undo").click()
        assert ship_map.run("() => fitmap.labels.tagsOf(4)") == expected
    assert ship_map.run("() => fitmap.data.classOf(4)") == "boat"
    assert ship_map.state("colourBy") == "class"
    assert ship_map.page.locator("#undo").is_hidden()
    assert ship_map.problems == []


def test_labels_are_kept_in_the_browser_and_downloaded(ship_map):
    select(ship_map, [6, 2])
    submit(ship_map, "new-label", "")
    select(ship_map, [3, 2])
    submit(ship_map, "new-tag", '=HYPERLINK("x")')
    submit(ship_map, "new-tag", "blurry")
    ship_map.page.reload()
    ship_map.run("() => fitmap.ready")
    rows = downloaded(ship_map, "#download-labels")
    names = {i: f"train/ship {i} & co.png" for i in (2, 3, 6)}
    assert rows == [
        {"file_name": names[2], "label": "", "tags": '\'=HYPERLINK("x");blurry'},
        {"file_name": names[3], "label": "'=1+1", "tags": '\'=HYPERLINK("x");blurry'},
        {"file_name": names[6], "label": "", "tags": ""},
    ]
    assert ship_map.problems == []


def test_one_point_is_tagged_from_its_card(ship_map):
    ship_map.click(33)
    ship_map.settle()
    ship_map.card.locator("[data-part=tag]").click()
    ship_map.page.keyboard.type("mine")
    ship_map.page.keyboard.press("Enter")
    assert ship_map.run("() => [...fitmap.labels.edits.keys()]") == [33]


def test_the_selection_downloads_sorts_and_copies(ship_map, ships):
    ship_map.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    select(ship_map, list(range(3, 40, 4)))
    ship_map.page.locator("#sort").select_option(label="neighbourhood kept")
    rows = downloaded(ship_map, "#download")
    order = [int(row["file_name"].split()[1]) for row in rows]
    assert order == sorted(range(3, 40, 4), key=lambda i: ships.kept[i])
    np.testing.assert_array_equal(np.array([[row["x"], row["y"]] for row in rows], np.float32), ships.positions[order])
    np.testing.assert_array_equal(
        np.array([row["reconstruction error"] for row in rows], np.float32), ships.errors[order]
    )
    assert {row["label"] for row in rows} == {"'=1+1"}  # no spreadsheet may take a name for a formula
    assert {row["harbour"] for row in rows} <= {"</script><i>x", ""}
    assert rows[0]["site"].startswith("https://")
    ship_map.page.locator("#copy-names").click()
    copied = ship_map.run("() => navigator.clipboard.readText()").split("\n")
    assert copied == [row["file_name"] for row in rows]


def test_labels_that_begin_with_an_apostrophe_come_back(ship_map, ships):
    select(ship_map, [1])
    submit(ship_map, "new-tag", "'=1")
    submit(ship_map, "new-label", "-x")
    merged = merge_labels(ships.samples, str(ship_map.download("#download-labels")))  # as the pipeline reads it
    assert (merged["label"][1], merged["tags"][1]) == ("-x", "'=1")
    assert merged["label"].drop(1).tolist() == ships.samples["label"].drop(1).tolist()


def test_findings_are_listed_shown_and_accepted_from_the_card(open_page, write_page, ships):
    review = [
        ("label", 8, "its neighbours are of another class", -1, "sail boat"),
        ("label", 3, "its neighbours are of another class", -1, "</script><b>"),
        ("duplicate", 20, "near copy", 17, ""),
        ("duplicate", -1, "near copy of a row that is not on the page", 4, ""),
        ("thin", 1, "class sail boat forms no group on the map", -1, ""),
    ]
    opened = open_page(write_page(ships, review=review))
    lists = opened.page.locator("#review-lists button").all_text_contents()
    assert lists == [
        "Suspect labels (2)",
        "Duplicates (1 of 2)",
        "Small or scattered classes (1)",
    ]  # as `fitmap review`
    opened.page.get_by_role("button", name="Suspect labels (2)").click()
    opened.settle()
    assert opened.run("() => [...fitmap.state.selected]") == [8, 3]
    for suggestion in ("sail boat", "</script><b>"):
        opened.card.get_by_role("button", name=f"Set class to {suggestion}").click()
        opened.settle()
        assert opened.card.locator("[data-part=class]").text_content() == suggestion
        opened.card.locator("[data-part=next]").click()
        opened.settle()
    opened.page.get_by_role("button", name="Duplicates (1 of 2)").click()
    opened.settle()
    assert opened.run("() => [...fitmap.state.selected]") == [20, 17]
    shown = opened.card.locator("figcaption").all_text_contents()
    assert shown == ["this image", "its copy"]
    opened.card.get_by_role("button", name="See train/ship 17 & co.png").click()
    assert opened.state("pinned") == 17
    rows = downloaded(opened, "#download-labels")
    assert [(row["file_name"], row["label"]) for row in rows] == [
        ("train/ship 3 & co.png", "</script><b>"),
        ("train/ship 8 & co.png", "sail boat"),
    ]
    assert opened.problems == []

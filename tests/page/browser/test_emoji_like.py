"""What an owner of pictures with metadata, or of text vectors without pictures, does: search, colour, filter, tag."""

import csv
import re

import numpy as np
import pandas as pd
import pytest

from stages.common.samples_table import make_samples
from stages.images.merge_labels import merge_labels
from stages.page.map_groups import Group, outline
from stages.page.map_page import GROUP, Points

COUNT = 160
ANIMALS = ("cat", "dog", "monkey", "owl")
HOSTILE = ["</script><img src=x onerror=window.hacked=1>", '=HYPERLINK("http://x")', "@SUM(1)", "-1+1", "<!--<script>"]


def emoji(pictures: bool) -> Points:
    """Return pictures of 64 × 64 in colour, or vectors alone, with four columns; the last rows are hostile in each."""
    draw, numbers = np.random.default_rng(0), np.arange(COUNT)
    animals = [ANIMALS[i % 4] for i in numbers]
    category = np.where(numbers % 8 < 4, "Smileys & Emotion", "Animals & Nature").astype(object)
    columns = pd.DataFrame(
        {
            "name": [f"{'GRINNING' if i % 3 else 'WEARY'} {animals[i].upper()} FACE {i}" for i in numbers],
            "category": category,
            "subcategory": [f"{animal}-face" for animal in animals],
            "sort_order": numbers[::-1].astype(float),
        }
    )
    names = [f"1f{i:03x}-fe0f.png" if pictures else f"row {i + 1}: {columns['name'][i]}" for i in numbers]
    for row, text in enumerate(HOSTILE, COUNT - len(HOSTILE)):
        columns.loc[row, ["name", "category", "subcategory"]] = text
        names[row] = f"{text} {row}"
    columns.columns = ["name", "category", "subcategory", "=sort</script>"]
    samples = make_samples(np.full(COUNT, "train"), names, np.full(COUNT, -1), [], columns)
    samples[GROUP] = pd.Categorical.from_codes(numbers % 4, [f"group {k}" for k in range(1, 5)])
    centres = np.array([[-20, 10], [20, 12], [15, -15], [-12, -18]])
    positions = (centres[numbers % 4] + draw.normal(0, 3, (COUNT, 2))).astype(np.float32)
    images = draw.integers(0, 256, (COUNT, 64, 64, 3), dtype=np.uint8) if pictures else None
    return Points(positions, samples, images, neighbours=draw.integers(0, COUNT, (COUNT, 5)))


@pytest.fixture(params=[True, False], ids=["pictures", "text vectors"])
def emoji_map(request, open_page, write_page):
    points = emoji(request.param)
    groups = [Group(f"group {k + 1}", k, outline(points.positions[k::4])) for k in range(4)]
    opened = open_page(write_page(points, title="Emoji", groups=groups))
    opened.points = points
    yield opened
    assert opened.problems == []
    assert opened.run("() => window.hacked") is None


def test_the_cats_of_a_category_are_found_tagged_and_taken_by_the_pipeline(emoji_map):
    opened, samples = emoji_map, emoji_map.points.samples
    opened.page.locator("#search").fill("cat face")
    if opened.state("colourBy") != "column:category":
        opened.page.locator("#colour-by").select_option(label="category")
    opened.page.locator("#legend li", has_text="Smileys & Emotion").hover()
    opened.page.get_by_label("Show only Smileys & Emotion").click()
    opened.page.locator("#select-found").click()
    expected = [i for i in range(COUNT - len(HOSTILE)) if i % 8 == 0]
    assert opened.run("() => [...fitmap.state.selected]") == expected
    assert opened.page.locator("#selection-count").text_content() == f"{len(expected)} points selected"
    opened.page.locator("#new-tag").fill("cat")
    opened.page.locator("#new-tag").press("Enter")
    merged = merge_labels(samples, str(opened.download("#download-labels")))
    assert merged.index[merged["tags"] == "cat"].tolist() == expected
    assert merged["label"].isna().all()


def test_hostile_values_are_shown_as_text_and_defused_in_the_csv(emoji_map):
    opened = emoji_map
    for row, text in enumerate(HOSTILE, COUNT - len(HOSTILE)):
        opened.show(pinned=row)
        assert opened.name() == f"{text} {row}"
        assert text in opened.card.locator("dd").all_text_contents()
    opened.run("() => fitmap.navigator.select([155, 156, 157, 158, 159])")
    opened.page.locator("#new-tag").fill("=cmd()")
    opened.page.locator("#new-tag").press("Enter")
    for button in ("#download", "#download-labels"):
        with open(opened.download(button), encoding="utf-8", newline="") as file:
            fields = [field for row in csv.reader(file) for field in row]
        assert not [field for field in fields if re.match(r"[=@+\t\r]|-\D", field)]
        assert f"'{HOSTILE[1]} 156" in fields

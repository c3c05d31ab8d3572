"""The document: what it holds, and that nobody's text leaves its place."""

import html
import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from stages.common.errors import InputError
from stages.common.samples_table import columns_of, make_samples
from stages.page.map_page import WEB, Points, map_page
from stages.page.page_from_artifacts import folder_url, keep_columns, located

SCRIPT = r"<script>(.*?)</script>"


def samples_of(count: int, classes=("a", "b", "c"), columns: pd.DataFrame | None = None, split="train") -> pd.DataFrame:
    labels = np.arange(count) % len(classes) if classes else np.full(count, -1)
    return make_samples(np.full(count, split), [f"{i}.png" for i in range(count)], labels, list(classes), columns)


@pytest.fixture
def points() -> Points:
    draw = np.random.default_rng(0)
    return Points(
        positions=draw.normal(size=(30, 2)),
        samples=samples_of(30),
        images=draw.integers(0, 256, (30, 6, 9), dtype=np.uint8),
        reconstructions=draw.integers(0, 256, (30, 6, 9), dtype=np.uint8),
        errors=draw.random(30),
        neighbours=draw.integers(0, 30, (30, 4)),
        kept=draw.random(30),
    )


def page_of(points: Points, **options) -> str:
    return map_page(points, **{"title": "Title", **options})


def header_of(page: str) -> dict:
    return json.loads(re.search(r'id="header">(.*?)</script>', page)[1])


def test_equal_arguments_give_equal_pages(points):
    assert page_of(points, metrics={"map": {"points": 30}}) == page_of(points, metrics={"map": {"points": 30}})


@pytest.mark.parametrize(
    "text", ["</script><img src=x onerror=alert(1)>", "<!--<script>", '"&amp;$title', "\u2028한국어"]
)
def test_text_of_users_cannot_leave_its_place(points, text):
    columns = pd.DataFrame({text: [text] * 30})
    hostile = replace(points, samples=samples_of(30, (text,), columns).assign(file_name=text), folder=text)
    page = page_of(hostile, title=text, metrics={text: {text: text}}, params={"k": text})
    header = header_of(page)
    assert header["classNames"] == header["columns"][0]["categories"] == [text]
    assert header["metrics"] == {text: {text: text}}
    assert html.unescape(re.search(r"<title>(.*?)</title>", page)[1]) == text
    before = re.sub(SCRIPT, "", page, flags=re.DOTALL)
    assert before.count("<script") == before.count("</script>")
    assert "<img" not in page


def test_grey_images_on_black_are_cut_out_others_are_not(points):
    on_black = np.zeros((30, 6, 9), np.uint8)
    on_black[:, 2:4, 2:7] = 200
    assert header_of(page_of(replace(points, images=on_black)))["cutOut"]
    assert not header_of(page_of(points))["cutOut"]
    colour = np.repeat(on_black[..., None], 3, axis=-1)
    header = header_of(page_of(replace(points, images=colour, reconstructions=colour)))
    assert (header["cutOut"], header["colour"]) == (False, True)


def test_the_folder_is_relative_to_the_page_or_absolute():
    assert folder_url("data/input/images/my photos") == "../data/input/images/my%20photos/"
    assert folder_url("/srv/photos") == "file:///srv/photos/"


def test_findings_say_which_point_they_are_about():
    samples = samples_of(3)
    review = pd.DataFrame(
        [("leak", "9.png", "train", "copy", "1.png", ""), ("label", "2.png", "train", "why", np.nan, "b")],
        columns=["kind", "file_name", "split", "why", "other_file_name", "suggestion"],
    )
    assert located(review, samples) == [("leak", -1, "copy", 1, ""), ("label", 2, "why", -1, "b")]
    review["file_name"] = "0.png"
    assert located(review, samples)[0] == ("leak", 0, "copy", 1, "")


def test_the_page_shows_the_columns_that_the_settings_name():
    samples = samples_of(3, columns=pd.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6], "c": [7, 8, 9]}))
    assert keep_columns(samples, "all") is samples
    assert list(columns_of(keep_columns(samples, ["c", "a"]))) == ["c", "a"]
    assert list(columns_of(keep_columns(samples, []))) == []
    with pytest.raises(InputError, match="page.columns names 'd', which the samples lack; found: a, b, c"):
        keep_columns(samples, ["a", "d"])


def test_text_has_contrast_in_light_and_dark():
    light, dark = re.findall(r":root[^{]*\{(.*?)\}", (WEB / "base.css").read_text(), re.DOTALL)[:2]

    def luminance(colour: str) -> float:
        channels = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
        linear = np.where(channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    for theme in (light, dark):
        colours = dict(re.findall(r"--(\w+): (#\w{6});", theme))
        for ink in ("ink", "soft"):
            for ground in ("raised", "ground", "hover"):
                low, high = sorted([luminance(colours[ink]), luminance(colours[ground])])
                assert (high + 0.05) / (low + 0.05) >= 4.5

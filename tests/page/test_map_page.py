import base64
import hashlib
import html
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from stages.page.map_page import PAGE, Points, map_page

SCRIPT = r"<script>(.*?)</script>"


@pytest.fixture
def points() -> Points:
    draw = np.random.default_rng(0)
    return Points(
        positions=draw.normal(size=(30, 2)),
        labels=draw.integers(0, 3, 30),
        images=draw.integers(0, 256, (30, 6, 9), dtype=np.uint8),
        reconstructions=draw.integers(0, 256, (30, 6, 9), dtype=np.uint8),
        errors=draw.random(30),
        neighbours=draw.integers(0, 30, (30, 4)),
        kept=draw.random(30),
    )


def page_of(points: Points, **options) -> str:
    return map_page(points, ["a", "b", "c"], **{"title": "Title", **options})


def header_of(page: str) -> dict:
    return json.loads(re.search(r'id="header">(.*?)</script>', page)[1])


def decoded(text: str) -> bytes:
    return base64.b85decode(text.replace(".", "<"))


def array_of(page: str, name: str) -> np.ndarray:
    kind, text = re.search(rf'data-array="{name}" data-type="(\w+)">(.*?)</script>', page).groups()
    return np.frombuffer(decoded(text), kind)


def images_of(page: str, name: str) -> np.ndarray:
    """The images of all sheets, cut out as the page does it."""
    cell = header_of(page)["cell"]
    cells = []
    for text in re.findall(rf'data-sheet="{name}" data-index="\d+">(.*?)</script>', page):
        sheet = np.asarray(Image.open(io.BytesIO(decoded(text))).convert("L"))
        rows = sheet.shape[0] // cell["height"]
        grid = sheet.reshape(rows, cell["height"], cell["columns"], cell["width"]).swapaxes(1, 2)
        cells.append(grid.reshape(-1, cell["height"], cell["width"]))
    return np.concatenate(cells)


def test_equal_arguments_give_equal_pages(points):
    assert page_of(points, metrics={"map": {"points": 30}}) == page_of(points, metrics={"map": {"points": 30}})


def test_the_page_names_no_other_address(points):
    assert re.findall(r"""(?:https?:)?//[\w.-]+\.\w+|(?<!\.)\b(?:src|href)\s*=|@import|url\(""", page_of(points)) == []


def test_the_policy_admits_the_page_s_own_script_and_style_alone(points):
    page = page_of(points)
    policy = html.unescape(re.search(r'Content-Security-Policy" content="(.*?)"', page)[1])
    allowed = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert allowed["default-src"] == "'none'"
    for rule, pattern in (
        ("script-src", SCRIPT),
        ("style-src", r"<style>(.*?)</style>"),
    ):
        text = re.search(pattern, page, re.DOTALL)[1]
        assert allowed[rule] == f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_numbers_arrive_in_the_smallest_type_that_holds_them(points):
    page = page_of(points)
    np.testing.assert_array_equal(array_of(page, "positions"), points.positions.astype(np.float32).ravel())
    np.testing.assert_array_equal(array_of(page, "labels"), points.labels)
    np.testing.assert_array_equal(array_of(page, "errors"), points.errors.astype(np.float32))
    np.testing.assert_array_equal(array_of(page, "neighbours"), points.neighbours.ravel())
    assert array_of(page, "neighbours").dtype == np.uint16


def test_images_arrive_without_loss(points):
    page = page_of(points)
    np.testing.assert_array_equal(images_of(page, "images")[:30], points.images)
    np.testing.assert_array_equal(images_of(page, "reconstructions")[:30], points.reconstructions)


def test_many_images_fill_several_sheets(points):
    draw = np.random.default_rng(1)
    images = draw.integers(0, 256, (11, 600, 700), dtype=np.uint8)  # six to a sheet of 2048 pixels
    many = Points(points.positions[:11], points.labels[:11], images=images)
    page = page_of(many)
    assert page.count('data-sheet="images"') == 2
    np.testing.assert_array_equal(images_of(page, "images")[:11], images)


def test_new_images_follow_the_map_s_own(points):
    new = replace(points, positions=points.positions[:7] + 1, labels=points.labels[:7], images=points.images[:7])
    new = replace(new, reconstructions=None, errors=None, kept=None, neighbours=points.neighbours[:7])
    page = page_of(points, new=new, new_name="Test", new_shown=True)
    header = header_of(page)
    assert (header["mapped"], header["stored"], header["newName"], header["newShown"]) == (30, 37, "Test", True)
    assert np.isnan(array_of(page, "kept")[30:]).all()
    np.testing.assert_array_equal(images_of(page, "images")[30:37], points.images[:7])
    assert not images_of(page, "reconstructions")[30:].any()


def test_what_is_not_known_is_left_out(points):
    page = page_of(Points(points.positions, points.labels))
    assert re.findall(r'data-array="(\w+)"', page) == ["positions", "labels"]
    assert "data-sheet" not in re.sub(SCRIPT, "", page, flags=re.DOTALL)


@pytest.mark.parametrize(
    "text", ["</script><img src=x onerror=alert(1)>", "<!--<script>", '"&amp;$title', "\u2028한국어"]
)
def test_text_of_users_cannot_leave_its_place(points, text):
    page = map_page(points, [text], title=text, metrics={text: {text: text}}, params={"k": text}, new_name=text)
    header = header_of(page)
    assert header["classNames"] == [text]
    assert header["metrics"] == {text: {text: text}}
    assert html.unescape(re.search(r"<title>(.*?)</title>", page)[1]) == text
    before = re.sub(SCRIPT, "", page, flags=re.DOTALL)
    assert before.count("<script") == before.count("</script>")
    assert "<img" not in page


def test_images_on_black_are_cut_out_others_are_not(points):
    on_black = np.zeros((30, 6, 9), np.uint8)
    on_black[:, 2:4, 2:7] = 200
    assert header_of(page_of(replace(points, images=on_black)))["cutOut"]
    assert not header_of(page_of(points))["cutOut"]


def test_every_module_is_put_in_after_those_that_it_imports(points):
    script = re.search(SCRIPT, page_of(points), re.DOTALL)[1]
    assert not re.search(r"^\s*(import|export)\b", script, re.MULTILINE)
    order = re.findall(r'^modules\["([\w-]+\.js)"\] =', script, re.MULTILINE)
    assert sorted(order) == sorted(path.name for path in PAGE.glob("*.js"))
    for user, used in (("main.js", "scene.js"), ("scene.js", "view.js"), ("webgl.js", "scene.js")):
        assert order.index(used) < order.index(user)

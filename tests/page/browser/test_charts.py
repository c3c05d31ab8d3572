"""DVC's charts in a real browser without network: all of them drawn, nothing asked for, nobody's text run."""

import json
from pathlib import Path

import pytest

from commands.charts_page import chart, charts_page
from commands.comparison_page import section

HOSTILE = "</script><img src=x onerror=window.hacked=1>"
REVS = ("HEAD", HOSTILE)


def rows_of(template: str) -> list[dict]:
    """What DVC hands to a template, all values as text."""
    if template == "loss":
        validation = {1: 9, 2: 5, 3: 4, 4: 6}
        return [
            {
                "epoch": str(epoch),
                "dvc_inferred_y_value": str(loss + 2 * REVS.index(rev) - (split == "train_loss")),
                "field": split,
                "rev": rev,
            }
            for rev in REVS
            for split in ("train_loss", "validation_loss")
            for epoch, loss in validation.items()
        ]
    if template == "fit":
        return [
            {
                "series": series,
                "x": str(x),
                "y": str(x * x),
                "lower": str(x * x - 9),
                "upper": str(x * x + 9),
                "rev": rev,
            }
            for rev in REVS
            for series in ("test data", "fit", "true curve")
            for x in range(-5, 6)
        ]
    return [
        {"x": str(i % 7), "y": str(i // 7), "class": HOSTILE if i % 2 else "boat", "index": str(i), "rev": rev}
        for rev in REVS
        for i in range(49)
    ]


ANCHORS = {
    "loss": ("epoch", "dvc_inferred_y_value"),
    "fit": ("x", "y"),
    "map": ("x", "y"),
}


def filled(template: str) -> dict:
    """The project's template as DVC fills it in."""
    text = Path(f".dvc/plots/{template}.json").read_text()
    x, y = ANCHORS[template]
    for anchor, value in {"X": x, "Y": y, "X_LABEL": x, "Y_LABEL": y, "TITLE": template}.items():
        text = text.replace(f"<DVC_METRIC_{anchor}>", value)
    return json.loads(text) | {"data": {"values": rows_of(template)}}


@pytest.fixture
def charts(browser, tmp_path):
    """The page of the three templates, opened without network; and what went wrong with it."""
    page_file = tmp_path / "charts.html"
    sections = [section(f"{name} {HOSTILE}", chart(filled(name))) for name in ANCHORS]
    page_file.write_text(charts_page(HOSTILE, HOSTILE, sections))
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    context.set_offline(True)
    page, problems = context.new_page(), []
    page.on("request", lambda request: problems.append(request.url) if request.url != page_file.as_uri() else None)
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(page_file.as_uri())
    page.evaluate("async () => { await window.chartsReady; }")
    yield page, problems
    context.close()


def ink(page, colour: tuple[int, int, int]) -> list[int]:
    """How many pixels of each chart are nearly of a colour."""
    return page.evaluate(
        """(colour) => [...document.querySelectorAll(".chart canvas")].map((canvas) => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let count = 0;
            for (let i = 0; i < data.length; i += 4)
                if (data[i + 3] > 150 && colour.every((value, c) => Math.abs(data[i + c] - value) < 12)) count += 1;
            return count;
        })""",
        colour,
    )


def test_all_charts_are_drawn_without_requests_or_errors(charts):
    page, problems = charts
    assert problems == []
    assert page.locator(".chart[data-drawn] canvas").count() == 3
    loss, fit, points = ink(page, (0x3B, 0x82, 0xF6)), ink(page, (0xD6, 0x27, 0x28)), ink(page, (0xAA, 0x6D, 0x00))
    assert loss[0] > 300, "the first revision's losses"
    assert fit[1] > 300, "the fitted curve"
    assert points[2] > 10, "the legend of the second class, at least"


def test_text_of_users_stays_text(charts):
    page, _ = charts
    assert page.title() == HOSTILE
    assert page.locator("h2").first.text_content() == f"loss {HOSTILE}"
    assert page.locator("img").count() == 0
    assert page.evaluate("() => window.hacked") is None


def test_the_policy_refuses_foreign_scripts_and_eval(charts):
    page, _ = charts
    page.evaluate("""() => {
        document.body.append(Object.assign(document.createElement("script"), { textContent: "window.hacked = 1" }));
    }""")
    assert page.evaluate("() => window.hacked") is None
    assert page.evaluate("() => fetch('https://example.org/').then(() => false, () => true)")


FIND_MARK = """async ([chart, key, value]) => {
    const { view } = (await window.chartsReady)[chart];
    const search = (item, x, y) => {
        if (item.datum?.[key] === value && !item.items) return [x + item.x, y + item.y];
        const [dx, dy] = item.marktype ? [0, 0] : [item.x ?? 0, item.y ?? 0];
        for (const inner of item.items ?? []) {
            const found = search(inner, x + dx, y + dy);
            if (found) return found;
        }
        return null;
    };
    const [left, top] = view.origin();
    return search(view.scenegraph().root, left + view.padding().left, top + view.padding().top);
}"""


@pytest.mark.parametrize(
    ("chart", "key", "value", "said"),
    [
        (0, "label", "best: 3", "best epoch: 3"),
        (2, "index", "24", "class: boat"),
        (2, "index", "25", f"class: {HOSTILE}"),
    ],
)
def test_marks_say_what_they_are_under_the_pointer(charts, chart, key, value, said):
    page, _ = charts
    canvas = page.locator(".chart canvas").nth(chart)
    canvas.scroll_into_view_if_needed()
    x, y = page.evaluate(FIND_MARK, [chart, key, value])
    canvas.hover(position={"x": x, "y": y})
    assert said in page.locator("#tooltip").inner_text()
    assert page.locator("#tooltip img").count() == 0

"""A curve page in a real Chromium."""

import pytest

from stages.curve_page.curve_page import curve_page
from tests.browser_page import BrowserPage, opening
from tests.curve_page.recorded import Run, record, record_own


class CurvePage(BrowserPage):
    """An opened page, and what it shows of its first run."""

    def said(self, part: str) -> str:
        return self.page.locator(f'.column [data-part="{part}"]').first.inner_text()

    def plot(self, name: str):
        return self.page.locator(f'.column [data-plot="{name}"]').first

    def drawn(self, name: str) -> int:
        """Count the pixels of a chart's upper canvas that are not blank."""
        return self.run(
            """(name) => {
                const canvas = document.querySelector(`[data-plot="${name}"] canvas:nth-of-type(2)`);
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                return data.filter((value, i) => i % 4 === 3 && value > 0).length;
            }""",
            name,
        )


@pytest.fixture(scope="session")
def write_curve_page(tmp_path_factory):
    """Write a page for some runs; its path."""

    def write(*runs: Run):
        path = tmp_path_factory.mktemp("curve") / f"{runs[0].name}.html"
        path.write_text(curve_page(runs), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def pages(write_curve_page):
    runs = {name: record(name)[0] for name in ("plain", "waves", "sigmoid", "dead")} | {"own": record_own()[0]}
    return {name: write_curve_page(run) for name, run in runs.items()}


@pytest.fixture
def open_curve_page(browser):
    with opening(browser, CurvePage, viewport={"width": 1200, "height": 800}) as open_address:
        yield lambda path, **options: open_address(path.as_uri(), **options)

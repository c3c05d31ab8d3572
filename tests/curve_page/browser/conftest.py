"""A curve page in a real Chromium."""

import pytest

from stages.curve_page.curve_page import curve_page
from tests.curve_page.recorded import Run, record, record_own


class CurvePage:
    """An opened page, and what it shows of its first run."""

    def __init__(self, page, problems: list[str]):
        self.page = page
        self.problems = problems  # console errors, uncaught exceptions and requests for anything but the file

    def run(self, script: str, *arguments):
        """Evaluate JavaScript; `arguments` are its parameter."""
        return self.page.evaluate(script, *arguments)

    def settle(self) -> None:
        """Wait until what has changed is drawn."""
        self.run("async () => { for (let k = 0; k < 3; k++) await new Promise(requestAnimationFrame); }")

    def show(self, **patch) -> None:
        self.run("(patch) => fitmap.state.change(patch)", patch)
        self.settle()

    def state(self, key: str):
        return self.run("(key) => fitmap.state[key]", key)

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
    """Open a page in a fresh context without network."""
    contexts = []

    def open(path, **options) -> CurvePage:
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 800}, **options})
        contexts.append(context)
        context.set_offline(True)
        problems: list[str] = []
        page = context.new_page()
        page.on("request", lambda request: problems.append(request.url) if request.url != path.as_uri() else None)
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(path.as_uri())
        opened = CurvePage(page, problems)
        opened.run("() => fitmap.ready")
        opened.settle()
        return opened

    yield open
    for context in contexts:
        context.close()

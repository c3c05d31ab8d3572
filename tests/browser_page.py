"""Pages opened from files in a real Chromium, without network."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class BrowserPage:
    """An opened page."""

    def __init__(self, page):
        self.page = page
        self.problems: list[str] = []  # console errors, uncaught exceptions and requests for anything but the file

    def run(self, script: str, *arguments):
        """Evaluate JavaScript; `arguments` are its parameter."""
        return self.page.evaluate(script, *arguments)

    def settle(self) -> None:
        """Wait until what has changed is drawn."""
        self.run("async () => { for (let k = 0; k < 3; k++) await new Promise(requestAnimationFrame); }")

    def state(self, key: str):
        return self.run("(key) => fitmap.state[key]", key)

    def show(self, **patch) -> None:
        self.run("(patch) => fitmap.state.change(patch)", patch)
        self.settle()


@contextmanager
def opening(browser, kind: type[BrowserPage], **defaults) -> Iterator[Callable[..., BrowserPage]]:
    """Yield a function that opens an address, each in a fresh context, as an object of `kind`."""
    contexts = []

    def open(address: str, before: str = "", **options) -> BrowserPage:
        context = browser.new_context(**{**defaults, **options})
        contexts.append(context)
        context.set_offline(True)
        context.set_default_timeout(60_000)
        opened = kind(context.new_page())
        page, problems, file = opened.page, opened.problems, address.partition("#")[0]
        page.on("request", lambda request: problems.append(request.url) if request.url != file else None)
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.add_init_script(before)
        page.goto(address)
        opened.run("() => fitmap.ready")
        opened.settle()
        return opened

    yield open
    for context in contexts:
        context.close()

"""The page opens from a file, asks the network for nothing, and takes nobody's text for its own."""

import numpy as np

from stages.common.samples_table import make_samples
from stages.page.map_page import Points

HOSTILE = 2  # the class whose name is a script


def test_text_of_users_stays_text(ship_map):
    rows = ship_map.page.locator("#legend .name")
    assert rows.nth(HOSTILE).text_content() == "</script><img src=x onerror=window.hacked=1>"
    assert ship_map.page.locator("h1").text_content() == ship_map.page.title()
    assert ship_map.page.title() == "<b>Ships</b> & </title><script>window.hacked=1</script>"
    ship_map.hover(HOSTILE)
    ship_map.settle()
    assert ship_map.card.locator("[data-part=class]").text_content().startswith("</script>")
    assert ship_map.page.locator("img").count() == 0
    assert ship_map.run("() => window.hacked") is None


def test_the_page_asks_for_nothing_and_the_policy_refuses_scripts_and_connections(ship_map):
    assert ship_map.problems == []
    ship_map.run("""() => {
        const script = document.createElement("script");
        script.textContent = "window.hacked = 1";
        document.body.append(script);
    }""")
    assert ship_map.run("() => window.hacked") is None
    assert ship_map.run("() => fetch('https://example.org/').then(() => false, () => true)")
    blocked = ship_map.run("""() => new Promise((resolve) => {
        document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
        document.body.append(Object.assign(new Image(), { src: "https://example.org/picture.png" }));
    })""")
    assert blocked == "img-src"


def test_opens_with_a_single_point_without_a_label(open_page, write_page, ships):
    samples = make_samples(np.array(["train"]), ["one"], np.array([-1]), [])
    opened = open_page(write_page(Points(ships.positions[:1], samples, images=ships.images[:1])))
    opened.hover(0)
    assert opened.name() == "one"
    assert opened.card.locator("[data-part=class-row]").is_hidden()
    assert opened.problems == []

import re
from pathlib import Path

import numpy as np

from commands.compare import html_page as page

HOSTILE = "</style><script>window.hacked=1</script>"


def test_text_of_users_stays_text_and_nothing_is_loaded():
    maps = [page.DrawnMap(HOSTILE, np.eye(2), np.array([0, -1]), ["#112233"])]
    sections = [
        page.section(HOSTILE, page.paragraph(HOSTILE), page.table([HOSTILE], [[HOSTILE]])),
        page.picture_pair(HOSTILE, [(HOSTILE, b"png"), (HOSTILE, None)]),
        page.draw_maps(maps, [np.eye(2)]),
        page.legend([HOSTILE], ["#112233"]),
    ]
    text = page.comparison_page(HOSTILE, HOSTILE, HOSTILE, sections)
    assert "<script" not in text
    assert text.count("</style>") == 1
    assert not re.findall(r'(?:src|href)="(?!data:)', text)


def test_every_point_is_drawn_once_inside_the_frame():
    positions = np.random.default_rng(0).normal(0, 30, (50, 2))
    drawn = page.DrawnMap("a map", positions, np.arange(50) % 3 - 1, ["#111111", "#222222"])
    text = page.draw_maps([drawn], [positions, 2 * positions])
    points = [tuple(map(int, point)) for point in re.findall(r"M(\d+) (\d+)h0", text)]
    assert len(points) == 50
    assert all(0 <= value <= page.SIDE for point in points for value in point)
    assert text.count('class="unknown"') == 1


def test_the_colours_are_those_of_the_map_page():
    ours, theirs = Path("commands/compare/html_page.css").read_text(), Path("stages/page/web/base.css").read_text()
    for name in ("ground", "raised", "ink", "soft", "line", "accent", "warning"):
        light, dark = re.findall(rf"--{name}: (#\w+);", theirs)
        assert f"--{name}: light-dark({light}, {dark});" in ours

import numpy as np
import pandas as pd
from matplotlib.text import Text

from stages.figures.review_sheet import draw_review

COLUMNS = ["kind", "file_name", "label", "why", "score", "other_file_name", "suggestion", "set"]


def test_copies_are_drawn_in_sets_and_other_findings_one_by_one():
    findings = [("duplicate", f"{i}.png", "", "near copy", 0.9, "0.png", "", 1) for i in range(1, 12)]
    findings += [("leak", "13.png", "", "exact copy", 1.0, "12.png", "", 2)]
    findings += [("label", "14.png", "cat", "another class is likelier", 3.0, "", "dog", None)]
    images = np.random.default_rng(0).integers(0, 256, (15, 8, 8, 3)).astype(np.uint8)
    names = np.array([f"{i}.png" for i in range(15)])
    figure = draw_review(pd.DataFrame(findings, columns=COLUMNS), names, images)
    [axes] = figure.axes
    texts = [text.get_text() for text in axes.texts]
    assert {"12 copies", "exact copy", "cat → dog"} <= set(texts)
    assert "Duplicates: copies within a split (1 set)" in texts
    shown = [picture.get_array() for picture in axes.images]
    assert len(shown) == 8 + 2 + 1
    assert any(np.array_equal(picture, images[14]) for picture in shown)


def test_without_findings_the_picture_says_so():
    figure = draw_review(pd.DataFrame(columns=COLUMNS), np.array(["a.png"]), np.zeros((1, 8, 8), np.uint8))
    assert any("No duplicates" in text.get_text() for text in figure.findobj(Text))

import json
import re

import numpy as np
from PIL import Image


def test_place_writes_a_page_with_the_new_images_framed(pipeline, tmp_path):
    shoe = np.zeros((28, 28), np.uint8)
    shoe[12:20, 3:25] = 200
    Image.fromarray(shoe).save(tmp_path / "shoe.png")
    Image.new("L", (40, 40), 128).save(tmp_path / "empty.png")
    page = tmp_path / "out.html"
    pipeline.run("python", "-m", "commands.fitmap", "place", str(tmp_path), "--json", "--page", str(page))
    header = json.loads(re.search(r'id="header">(.*?)</script>', page.read_text())[1])
    assert header["names"] == ["empty.png", "shoe.png"]
    assert header["stored"] == header["mapped"] + 2
    assert header["newShown"]
    assert "nothing stands out of its ground" in header["warnings"][0]
    assert header["encoder"]["framing"]["size"] == 28
    assert header["params"]["tsne"]["perplexity"] > 0
    assert "root" not in header["params"]["images"]
    assert header["metrics"]["map"]["points"] == header["mapped"]

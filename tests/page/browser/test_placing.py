"""Images that the reader gives to the page are framed, encoded and placed by it."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from stages.common.samples_table import make_samples
from stages.images.garment_framing import Framing, read_framed
from stages.images.garments.garments import CLASS_NAMES, draw_garments
from stages.page.map_page import Points
from stages.page.pack_encoder import Encoder
from stages.tsne.neighbours import nearest, nearest_others, reach

COUNT = 400
CUT = Framing(size=28, ground=0, extent=24)
ARCHITECTURE = {"name": "dense", "image_shape": [28, 28], "layers": [64, 32], "latent_dim": 8, "length_power": 0.25}


@pytest.fixture(scope="module")
def garments() -> tuple[np.ndarray, np.ndarray]:
    images, labels, _ = draw_garments(COUNT + 100, seed=0)
    return images, labels


@pytest.fixture(scope="module")
def arrays(garments) -> dict[str, np.ndarray]:
    """Weights of an untrained encoder: a linear path, and dense layers with SiLU between them."""
    draw = np.random.default_rng(0)
    weights = {"mean": garments[0].mean(axis=0, dtype=np.float64)[None, None] / 255}
    weights["linear_encoder.weight"] = draw.normal(0, 0.1, (8, 784))
    for number, (before, after) in enumerate([(784, 64), (64, 32), (32, 8)]):
        weights[f"encoder.{2 * number + 1}.weight"] = draw.normal(0, before**-0.5, (after, before))
        weights[f"encoder.{2 * number + 1}.bias"] = draw.normal(0, 0.1, after)
    return {name: array.astype(np.float32) for name, array in weights.items()}


def latents_of(images: np.ndarray, arrays: dict[str, np.ndarray]) -> np.ndarray:
    centred = images.reshape(len(images), -1) / 255 - arrays["mean"].ravel()
    values = centred
    for number in (1, 3, 5):
        values = values / (1 + np.exp(-values)) if number > 1 else values
        values = values @ arrays[f"encoder.{number}.weight"].T + arrays[f"encoder.{number}.bias"]
    values = values + centred @ arrays["linear_encoder.weight"].T
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return (values * lengths ** (ARCHITECTURE["length_power"] - 1)).astype(np.float32)


@pytest.fixture(scope="module")
def garments_page(write_page, garments, arrays) -> str:
    """The address of a page of garments, placed by their first two latent directions, with their encoder."""
    images, labels = (values[:COUNT] for values in garments)
    latents = latents_of(images, arrays)
    neighbours = nearest_others(latents, 6)
    positions = (20 * (latents - latents.mean(axis=0))[:, :2]).astype(np.float32)
    encoder = Encoder(ARCHITECTURE, arrays, latents, reach(latents, neighbours), asdict(CUT))
    samples = make_samples(np.full(COUNT, "train"), [f"{i:03}" for i in range(COUNT)], labels, list(CLASS_NAMES))
    return write_page(Points(positions, samples, images, neighbours=neighbours), encoder=encoder)


@pytest.fixture
def garment_map(open_page, garments_page):
    return open_page(garments_page)


def choose(opened, *files) -> int:
    """Give files to the page; the index of the last one's point."""
    before = opened.run("() => fitmap.data.total")
    opened.page.set_input_files("#files", list(files))
    opened.page.wait_for_function("(total) => fitmap.data.total === total", arg=before + len(files))
    opened.settle()
    return before + len(files) - 1


def pixels_of(opened, point: int) -> np.ndarray:
    return np.array(
        opened.run(
            """async (i) => {
                const context = new OffscreenCanvas(28, 28).getContext("2d");
                await fitmap.data.images.draw(context, i, 0, 0, 28, 28);
                return [...context.getImageData(0, 0, 28, 28).data].filter((_, k) => k % 4 === 0);
            }""",
            point,
        ),
        np.uint8,
    ).reshape(28, 28)


def neighbours_of(opened, point: int) -> list[int]:
    return opened.run("(i) => fitmap.data.neighboursOf(i)", point)


def test_new_images_get_the_neighbours_that_the_autoencoder_gives_them(garment_map, garments, arrays, tmp_path):
    opened, images = garment_map, garments[0]
    _, expected = nearest(latents_of(images[:COUNT], arrays), latents_of(images[COUNT:], arrays), 6)
    files = []
    for number, image in enumerate(images[COUNT : COUNT + 20]):
        files.append(tmp_path / f"{number}.png")
        Image.fromarray(image).save(files[-1])
    last = choose(opened, *files)
    found = [neighbours_of(opened, last - 19 + number) for number in range(20)]
    agreeing = np.mean([len(set(f) & set(e)) / 6 for f, e in zip(found, expected, strict=False)])
    assert agreeing > 0.85
    positions = opened.run("() => [...fitmap.data.positions]")
    positions = np.array(positions).reshape(-1, 2)
    for number, five in enumerate(f[:5] for f in found):
        np.testing.assert_allclose(positions[last - 19 + number], np.median(positions[five], axis=0), rtol=1e-6)
    assert opened.problems == []


def pictures() -> dict[str, Image.Image]:
    """Files of many kinds, all of the same odd shape."""

    def shape(mode: str, size: tuple[int, int], ground, ink) -> Image.Image:
        image = Image.new(mode, size, ground)
        pen = ImageDraw.Draw(image)
        width, height = size
        pen.ellipse((width * 0.3, height * 0.2, width * 0.6, height * 0.9), fill=ink)
        pen.rectangle((width * 0.4, height * 0.5, width * 0.8, height * 0.7), fill=ink)
        return image

    return {
        "dark on light": shape("RGB", (301, 200), (245, 240, 250), (90, 30, 60)),
        "light on dark": shape("L", (90, 120), 10, 230),
        "transparent": shape("RGBA", (160, 250), (0, 0, 0, 0), (30, 60, 90, 255)),
        "large": shape("RGB", (1200, 900), (255, 255, 255), (20, 80, 160)),
        "tiny": shape("L", (9, 12), 0, 200),
        "of the map's size": shape("L", (28, 28), 0, 180),
    }


def test_images_are_framed_as_fitmap_place_frames_them(garment_map, tmp_path):
    framing = Framing(28, 255, 22)
    garment_map.run("(framing) => Object.assign(fitmap.data.encoder.framing, framing)", asdict(framing))
    for name, picture in pictures().items():
        file = tmp_path / f"{name}.png"
        picture.save(file)
        expected, _ = read_framed(file, framing)
        found = pixels_of(garment_map, choose(garment_map, file))
        difference = np.abs(found.astype(int) - expected)
        assert difference.max() <= 12, name  # a cut may fall one pixel aside at eight times the size
        assert difference.mean() < 0.5, name


def test_several_chosen_images_open_one_after_the_other(garment_map, tmp_path):
    files = []
    for number, name in enumerate(["dark on light", "light on dark", "large"]):
        files.append(tmp_path / f"{number}.png")
        pictures()[name].save(files[-1])
    last = choose(garment_map, *files)
    garment_map.page.wait_for_function("(i) => fitmap.state.pinned === i", arg=last - 2)
    for number in range(3):
        assert garment_map.name() == f"{number}.png"
        assert garment_map.card.locator("[data-part=step]").text_content() == f"{number + 1} of 3 points"
        garment_map.card.locator("[data-part=next]").click()
    assert garment_map.name() == "0.png"


def test_a_chosen_image_is_framed_pinned_and_named(garment_map, tmp_path):
    file = tmp_path / "my boot.png"
    pictures()["dark on light"].save(file)
    point = choose(garment_map, file)
    assert garment_map.state("pinned") == point
    card = garment_map.card
    assert garment_map.name() == "my boot.png"
    assert "approximate" in card.locator("[data-part=notes]").text_content()
    shown = garment_map.pixels("#card canvas[data-of=images]")
    np.testing.assert_array_equal(shown[..., 0], pixels_of(garment_map, point))
    assert garment_map.page.locator("#spoken").text_content().startswith("my boot.png, nearest: ")
    classes = card.locator("[data-part=alike]").text_content()
    assert sum(int(part.split()[0]) for part in classes.split(", ")) == 6
    garment_map.show(cutOut=False, pinned=-1)
    garment_map.look_at(point, 400)
    on_map = garment_map.drawn_image(point) - pixels_of(garment_map, point)[2:-2, 2:-2, None].astype(int)
    assert np.abs(on_map).max() <= 2
    assert garment_map.problems == []


def test_an_image_on_the_map_has_no_warning_and_noise_has_one(garment_map, garments, tmp_path):
    notes = garment_map.card.locator("[data-part=notes]")
    Image.fromarray(garments[0][3]).save(tmp_path / "known.png")
    point = choose(garment_map, tmp_path / "known.png")
    assert neighbours_of(garment_map, point)[0] == 3
    assert "Off the map" not in notes.text_content()
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    choose(garment_map, tmp_path / "noise.png")
    assert "Off the map: its border is not of one tone" in notes.text_content()
    Image.new("L", (50, 50), 90).save(tmp_path / "empty.png")
    choose(garment_map, tmp_path / "empty.png")
    assert "nothing stands out" in notes.text_content()


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_images_are_dropped_and_pasted(garment_map, way):
    garment_map.run(
        """async (way) => {
            const canvas = new OffscreenCanvas(40, 40);
            const context = canvas.getContext("2d");
            context.fillRect(0, 0, 40, 40);
            context.fillStyle = "white";
            context.fillRect(8, 12, 20, 9);
            const carried = new DataTransfer();
            carried.items.add(new File([await canvas.convertToBlob()], "carried.png"));
            const event = way === "drop"
                ? new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true })
                : new ClipboardEvent("paste", { clipboardData: carried, bubbles: true });
            document.getElementById("overlay").dispatchEvent(event);
        }""",
        way,
    )
    garment_map.page.wait_for_function("() => fitmap.data.total > fitmap.data.stored")
    garment_map.page.wait_for_function("() => fitmap.state.pinned >= 0")
    assert garment_map.name() == "carried.png"


def test_a_file_that_is_no_image_is_refused_with_a_word(garment_map, tmp_path):
    (tmp_path / "notes.txt").write_text("not an image")
    garment_map.page.set_input_files("#files", tmp_path / "notes.txt")
    garment_map.page.wait_for_function("() => document.getElementById('spoken').textContent.includes('cannot be read')")
    assert garment_map.run("() => fitmap.data.total") == COUNT
    assert garment_map.problems == []


def test_added_images_are_searched_selected_and_downloaded_but_not_linked(garment_map, tmp_path):
    file = tmp_path / "=boot.png"
    pictures()["light on dark"].save(file)
    point = choose(garment_map, file)
    garment_map.page.keyboard.press("Escape")
    garment_map.page.locator("#search").fill("boot.png")
    garment_map.page.keyboard.press("Enter")
    garment_map.settle()
    assert garment_map.state("pinned") == point
    garment_map.page.wait_for_timeout(300)
    assert "point=" not in garment_map.run("() => location.hash")
    garment_map.canvas.focus()
    garment_map.page.keyboard.press("a")
    assert garment_map.download("#download").read_text().splitlines()[-1].startswith("'=boot.png,,,added,")


def test_new_images_have_their_names_and_warnings(open_page, write_page, ships, new_ships):
    named = replace(
        new_ships,
        samples=new_ships.samples.assign(file_name=[f"<b>file {i}</b>.png" for i in range(60)]),
        warnings=["it is <i>strange</i>" if i == 4 else "" for i in range(60)],
    )
    opened = open_page(write_page(ships, new=named, new_shown=True))
    for point, warned in ((604, True), (605, False)):
        opened.show(pinned=point)
        assert opened.name() == f"<b>file {point - 600}</b>.png"
        assert ("Off the map: it is <i>strange</i>." in opened.card.text_content()) == warned
    assert opened.problems == []

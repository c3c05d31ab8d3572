"""Image files of every format and mode: a red square stays red, grey levels keep their order, nothing turns black."""

import struct

import numpy as np
import pytest
from PIL import Image

from stages.common.errors import InputError
from stages.images.decode_images import is_grey, range_used, read_square, scale, to_grey_array
from stages.images.images_to_place import read_like_training
from tests.images.sixteen_bits import SixteenBits

RED = (200, 30, 40)


def red_square(mode="RGB", side=64) -> Image.Image:
    return Image.new("RGB", (side, side), RED).convert(mode)


def palette_with_transparency() -> Image.Image:
    image = Image.new("P", (64, 64), 1)
    image.putpalette([0, 0, 0, *RED])
    image.paste(0, (0, 0, 64, 8))
    image.info["transparency"] = 0
    return image


def with_alpha() -> Image.Image:
    image = red_square("RGBA")
    image.putalpha(Image.fromarray(np.repeat(np.uint8([[0], [255]]), [8, 56], axis=0).repeat(64, axis=1)))
    return image


def red_of_sixteen_bits() -> SixteenBits:
    return SixteenBits(np.broadcast_to(np.uint16(RED) * 257, (64, 64, 3)))


def with_alpha_of_sixteen_bits() -> SixteenBits:
    alpha = np.repeat([0, 65535], [8, 56])[:, None, None].repeat(64, axis=1)
    return SixteenBits(np.concatenate([red_of_sixteen_bits().colours, alpha], axis=2))


FILES = {
    "rgb.png": (red_square, {}),
    "upper.PNG": (red_square, {}),
    "rgb.bmp": (red_square, {}),
    "rgb.tif": (red_square, {"compression": "tiff_lzw"}),
    "rgb.ppm": (red_square, {}),
    "rgb.tga": (red_square, {}),
    "rgb.jp2": (red_square, {}),
    "rgb.webp": (red_square, {"lossless": True}),
    "lossy.webp": (red_square, {"quality": 95}),
    "rgb.avif": (red_square, {"quality": 95}),
    "photo.heic": (lambda: red_square(side=128), {"quality": 98}),
    "PHOTO.HEIC": (lambda: red_square(side=128), {"quality": 98}),
    "rgb.jpg": (red_square, {"quality": 95}),
    "progressive.jpg": (lambda: red_square(side=2000), {"quality": 95, "progressive": True}),
    "cmyk.jpg": (lambda: red_square("CMYK"), {"quality": 98}),
    "cmyk.tif": (lambda: red_square("CMYK"), {}),
    "palette.png": (lambda: red_square().quantize(), {}),
    "first.gif": (
        lambda: red_square().quantize(),
        {"save_all": True, "append_images": [Image.new("P", (64, 64), i) for i in (1, 2)]},
    ),
    "palette_alpha.png": (palette_with_transparency, {}),
    "alpha.png": (with_alpha, {}),
    "alpha.webp": (with_alpha, {"lossless": True}),
    "panorama.jpg": (lambda: red_square().resize((9000, 300)), {"quality": 95}),
    "sixteen_bits.png": (red_of_sixteen_bits, {}),
    "sixteen_bits.tif": (red_of_sixteen_bits, {}),
    "sixteen_bits_alpha.png": (with_alpha_of_sixteen_bits, {}),
    "column.png": (lambda: red_square().resize((10, 3000)), {}),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_a_red_square_stays_red_in_the_data_set_and_when_it_is_placed(tmp_path, name, fit):
    make, options = FILES[name]
    make().save(tmp_path / name, **options)
    pixels, span = read_square(tmp_path / name, 32, fit)
    pixels = pixels if span is None else scale(pixels, *range_used([span]))
    placed, warnings = read_like_training(tmp_path / name, {"images": np.zeros((1, 32, 32, 3), np.uint8)}, fit)
    np.testing.assert_array_equal(placed, pixels)
    assert (placed.shape, placed.dtype, warnings) == ((32, 32, 3), np.uint8, [])
    np.testing.assert_allclose(placed[15:17, 15:17].max(axis=(0, 1)), RED, atol=2)
    if "alpha" in name:
        assert placed[:2].max() <= 2, "what is transparent is black"
    if name in ("panorama.jpg", "column.png"):
        edge = placed[0, 16] if name == "panorama.jpg" else placed[16, 0]
        np.testing.assert_allclose(edge, RED if fit == "crop" else (0, 0, 0), atol=2)


@pytest.mark.parametrize(("level", "ground"), [(0, 255), (30, 255), (90, 0), (255, 0)])
def test_a_black_icon_is_shown_on_white_and_any_other_on_black(tmp_path, level, ground):
    icon = np.full((32, 32, 4), (level, level, level, 0), np.uint8)
    icon[8:24, 8:24, 3] = 255
    Image.fromarray(icon).save(tmp_path / "a.png")
    pixels = read_square(tmp_path / "a.png", 32, "crop").pixels
    assert pixels[2, 2].tolist() == [ground] * 3
    assert pixels[16, 16].tolist() == [level] * 3


def test_an_image_is_turned_upright_by_its_exif_tag(tmp_path):
    image = Image.new("RGB", (60, 60))
    image.paste(RED, (0, 0, 60, 20))  # red at the top
    exif = image.getexif()
    exif[0x0112] = 6  # to be shown turned by a quarter, clockwise
    image.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.jpg", exif=exif, quality=95)
    pixels = read_square(tmp_path / "a.jpg", 30, "crop").pixels
    np.testing.assert_allclose(pixels[3, 15], RED, atol=3)
    assert pixels[15:].max() < 10


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.uint16([0, 51400]), 200),  # 16 bits
        (np.uint16([0, 4080]), 254),  # 12 bits
        (np.uint16([0, 200]), 200),  # 8 bits in 16
        (np.uint16([30000, 31000]), 255),  # few levels far from 0
        (np.int32([-1000, 3000]), 255),
        (np.float32([0, 0.5, 1]), 255),
        (np.float32([0, 0.004]), 255),
        (np.float32([-1, 1]), 255),
        (np.float32([np.nan, 0, np.inf, 255]), 255),
    ],
)
def test_other_depths_are_scaled_by_what_they_use(tmp_path, values, expected):
    image = values[(np.arange(64) * len(values) // 64)][None].repeat(64, axis=0)
    Image.fromarray(image).save(tmp_path / "a.tif")
    levels, span = read_square(tmp_path / "a.tif", 64, "crop")
    scaled = scale(levels, *range_used([span]))[..., 0]
    assert abs(int(scaled[:, -1].max()) - expected) <= 1
    assert scaled[:, 0].max() <= 1


def test_colours_of_twelve_bits_in_sixteen_are_scaled_by_what_they_use(tmp_path):
    colours = np.uint16([[RED, (0, 0, 0)], [(255, 255, 255), (90, 90, 90)]]).repeat(20, axis=0).repeat(20, axis=1)
    for name in ("a.png", "a.tif"):
        SixteenBits(colours * 16).save(tmp_path / name)
        values, span = read_square(tmp_path / name, 40, "crop")
        np.testing.assert_allclose(scale(values, *range_used([span])), colours, atol=2)


@pytest.mark.parametrize("levels", [np.uint8([10, 200]), np.uint16([1000, 50000])])
def test_white_is_zero(tmp_path, levels):
    image = Image.fromarray(levels.repeat(32)[:, None].repeat(64, axis=1))
    image.save(tmp_path / "a.tif", tiffinfo={262: 0})
    if levels.dtype == np.uint16:  # Pillow inverts only 8 bits when it writes
        levels = 65535 - levels
    pixels, _ = read_square(tmp_path / "a.tif", 64, "crop")
    assert pixels[5, 5, 0] == levels[0]
    assert pixels[60, 5, 0] == levels[1]


def test_tiff_files_that_pillow_misreads_or_does_not_know_are_refused(tmp_path):
    (tmp_path / "planes.tif").write_bytes(red_of_sixteen_bits().tiff(planes=2))
    with pytest.raises(InputError, match=r"planes\.tif has a plane of 16 bits for each colour: save it"):
        read_square(tmp_path / "planes.tif", 8, "crop")
    Image.fromarray(np.zeros((8, 8), np.float32)).save(tmp_path / "doubles.tif")
    bits = [struct.pack("<HHII", 258, 3, 1, bits) for bits in (32, 64)]
    (tmp_path / "doubles.tif").write_bytes((tmp_path / "doubles.tif").read_bytes().replace(*bits))
    with pytest.raises(InputError, match=r"doubles\.tif cannot be read as an image"):
        read_square(tmp_path / "doubles.tif", 8, "crop")


def test_a_hot_pixel_does_not_set_the_range(tmp_path):
    image = np.random.default_rng(0).integers(0, 4000, (200, 200)).astype(np.uint16)
    image[7, 7] = 65535
    Image.fromarray(image).save(tmp_path / "a.tif")
    assert range_used([read_square(tmp_path / "a.tif", 64, "crop").span]) == (0, 4095)


def test_grey_is_luma_and_jpeg_noise_is_no_colour(tmp_path):
    assert to_grey_array(np.uint8([[RED, (90, 90, 90)]])).tolist() == [[82, 90]]
    grey = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8))
    grey.convert("RGB").save(tmp_path / "a.jpg")
    assert is_grey(read_square(tmp_path / "a.jpg", 32, "crop").pixels)


def test_links_lead_out_of_the_folder_only_into_dvcs_cache(tmp_path):
    cached = tmp_path / "cache/files/md5/ab" / ("0" * 30)
    outside, folder = tmp_path / "outside.png", tmp_path / "photos"
    for path in (cached, outside):
        path.parent.mkdir(parents=True, exist_ok=True)
        red_square().save(path, "PNG")
    folder.mkdir()
    (folder / "a.png").symlink_to(cached)
    (folder / "b.png").symlink_to(outside)
    np.testing.assert_array_equal(read_square(folder / "a.png", 8, "crop", folder).pixels[4, 4], RED)
    with pytest.raises(InputError, match=r"b\.png is a link out of .*photos"):
        read_square(folder / "b.png", 8, "crop", folder)


def test_a_new_file_is_read_as_the_training_images_were(tmp_path):
    red_square().resize((90, 64)).save(tmp_path / "a.png")
    Image.fromarray(np.full((64, 64), 2000, np.uint16)).save(tmp_path / "deep.png")
    colour = {"images": np.zeros((1, 16, 16, 3), np.uint8)}
    pixels, warnings = read_like_training(tmp_path / "a.png", colour, "crop")
    assert (pixels.shape, warnings) == ((16, 16, 3), [])
    np.testing.assert_allclose(pixels[0, 0], RED, atol=1)
    grey = {"images": np.zeros((1, 16, 16), np.uint8), "levels": np.float32([0, 4095])}
    pixels, warnings = read_like_training(tmp_path / "a.png", grey, "pad")
    assert pixels.shape == (16, 16)
    assert pixels[0].max() == 0
    assert "colours" in warnings[0]
    assert read_like_training(tmp_path / "deep.png", grey, "crop")[0][8, 8] == round(2000 * 255 / 4095)

import numpy as np
import pytest

from stages.common.errors import InputError
from stages.common.settings import load_params
from stages.curve.points import draw_points, noise_floor_mae, read_points, split_points

PARAMS = load_params("curve")


def of(points, split):
    return points[points["split"] == split]


def test_drawn_points_scatter_about_the_curve_by_the_noise():
    points = draw_points(PARAMS)
    assert points["split"].value_counts().to_dict() == {"train": 5000, "test": 5000}
    assert points["x"].between(-10, 10).all()
    noise = points["y"] - points["truth"]
    assert abs(noise.mean()) < 1.5
    assert noise.std() == pytest.approx(30, rel=0.03)
    assert noise.abs().mean() == pytest.approx(noise_floor_mae(PARAMS.noise_std), rel=0.03)
    x = points["x"].to_numpy()
    np.testing.assert_allclose(points["truth"], 0.5 * x**3 - 0.5 * x**2 - 90 * np.sin(x**2) + 1, atol=1e-9)


def test_splits_are_separate_draws_that_do_not_change_each_other():
    points = draw_points(PARAMS)
    longer = draw_points(PARAMS.model_copy(update={"samples": 6000}))
    assert not set(of(points, "train")["x"]) & set(of(points, "test")["x"])
    np.testing.assert_array_equal(of(points, "test")["y"], of(longer, "test")["y"])
    np.testing.assert_array_equal(of(points, "test")["x"], of(longer, "test")["x"])


def test_the_seed_decides():
    again, other = draw_points(PARAMS), draw_points(PARAMS.model_copy(update={"seed": 1}))
    assert again.equals(draw_points(PARAMS))
    assert not again["x"].equals(other["x"])


def test_a_csv_file_is_split_by_its_fraction_and_loses_no_row(tmp_path):
    rows = [(i * 0.1, i * -1.0) for i in range(200)]
    path = tmp_path / "points.csv"
    path.write_text("name,x,y\n" + "".join(f"a,{x!r},{y!r}\n" for x, y in rows))
    points = split_points(read_points(str(path)), PARAMS)
    assert points["split"].value_counts().to_dict() == {"train": 170, "test": 30}
    assert sorted(zip(points["x"], points["y"], strict=True)) == sorted(rows)
    assert points["truth"].isna().all()


def csv(rows, header="x,y"):
    return "\n".join([header, *rows]) + "\n"


GOOD = [f"{i},{i}" for i in range(40)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        (csv(["a,1"] * 40, "a,b"), "needs one column `y`, or set curve.y_column; its columns: a, b"),
        (csv(GOOD, "x,x"), "one column `x`, or set curve.x_column; its columns: x, x"),
        (csv(GOOD[:19]), "19 points, at least 20"),
        (csv(["1,2"] * 40), "every x is 1"),
        (csv([*GOOD, "nan,1"]), "line 42, column x"),
        (csv([*GOOD[:5], "3,", *GOOD]), "line 7, column y"),
        (csv([*GOOD[:5], "", "3,a lot", *GOOD]), "line 8, column y: 'a lot'"),
        (csv([*GOOD, "inf,1"]), "line 42, column x: 'inf'"),
        (csv([*GOOD, "1,2,3,4"]), "not a table.*line 42"),
        (csv(["1,5,2"] * 40), "not a table.*separate the columns with semicolons"),
        (csv(["03/04/2024,2"] * 40), "can be read in two ways: write 2024-12-31"),
    ],
)
def test_a_wrong_file_is_named_with_the_line(tmp_path, content, message):
    path = tmp_path / "points.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=message) as caught:
        read_points(str(path))
    assert str(path) in str(caught.value)


def test_a_binary_or_missing_file_is_refused(tmp_path):
    path = tmp_path / "points.csv"
    path.write_bytes(b"\xff\xfe\x00x\x00" * 50)
    with pytest.raises(InputError, match="points.csv"):
        read_points(str(path))
    with pytest.raises(InputError, match=r"curve\.source"):
        read_points(str(tmp_path / "none.csv"))

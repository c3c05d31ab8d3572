"""Bring both READMEs up to the last run: the table of measured figures and the two pictures at the top.

    python -m docs.update_readme

The column of real images comes from experiments/fashion_mnist_slice.json, kept from a run of
`dvc exp run -S images.source=fashion-mnist` on the first 7,000 training and 3,500 test images.
"""

import re
from pathlib import Path

from stages.common.artifacts import read_arrays, read_csv, read_json, write_bytes, write_text
from stages.figures.curve import draw_fit
from stages.figures.map_images import draw_map_images
from stages.figures.style import png_bytes

REAL = "experiments/fashion_mnist_slice.json"
TABLE = re.compile(r"(\| [^\n]*\n\| --- \| --- \| ---: \| ---: \|\n(?:\|[^\n]*\n)*)")
HEADS = {
    "README.md": ("score", "what it says", "drawn garments", "real slice"),
    "README.ko.md": ("점수", "뜻", "그린 옷", "실제 일부"),
}
ROWS = {  # key: digits, English, Korean
    "test_mae": (2, "mean absolute error of the fit on test points", "시험 점에서 적합의 평균 절대 오차"),
    "noise_floor_mae": (2, "that of the true curve: no fit can be better", "참 곡선의 오차: 이보다 나을 수 없음"),
    "mae_over_floor": (3, "their ratio", "둘의 비"),
    "truth_rmse": (2, "distance of the fit from the true curve", "적합과 참 곡선의 거리"),
    "linear_baseline_mae": (2, "mean absolute error of a straight line", "직선의 평균 절대 오차"),
    "coverage_90": (3, "share of test points in the 90 % band", "90 % 띠에 든 시험 점의 비율"),
    "test_mse": (5, "reconstruction error of the autoencoder", "오토인코더의 복원 오차"),
    "pca_test_mse": (5, "that of as many principal components", "같은 수의 주성분의 복원 오차"),
    "knn_accuracy": (
        3,
        "test images whose nearest latents are of their class",
        "가장 가까운 잠재 벡터가 같은 종류인 시험 이미지",
    ),
    "pca_knn_accuracy": (3, "the same with principal components", "주성분으로 잰 같은 값"),
    "pixel_knn_accuracy": (3, "the same with pixels", "픽셀로 잰 같은 값"),
    "trustworthiness": (
        4,
        "neighbours on the map are neighbours in latent space",
        "지도에서 이웃이면 잠재 공간에서도 이웃",
    ),
    "knn_recall": (3, "share of latent neighbours kept on the map", "지도에 남은 잠재 공간 이웃의 비율"),
    "kl_divergence": (3, "what t-SNE minimises", "t-SNE가 줄이는 값"),
    "placed_knn_accuracy": (3, "placed test images that land among their class", "제 무리에 놓인 시험 이미지"),
}


def table(readme: str, drawn: dict[str, float], real: dict[str, float]) -> str:
    """The Markdown table of one language; a score that is not of the images has no figure for the real ones."""
    column = 1 if readme == "README.md" else 2
    lines = [f"| {' | '.join(HEADS[readme])} |", "| --- | --- | ---: | ---: |"]
    for key, row in ROWS.items():
        shown = [f"{values[key]:,.{row[0]}f}" if key in values else "" for values in (drawn, real)]
        lines.append(f"| `{key}` | {row[column]} | {shown[0]} | {shown[1]} |")
    return "\n".join(lines)


def main() -> None:
    drawn = {key: value for path in Path("metrics").glob("*.json") for key, value in read_json(str(path)).items()}
    real = read_json(REAL)["metrics"]
    for readme in HEADS:
        before, _, after = re.split(TABLE, Path(readme).read_text(encoding="utf-8"))
        write_text(readme, before + table(readme, drawn, real) + "\n" + after)
    write_bytes("docs/images/regressor_fit.png", png_bytes(draw_fit(read_csv("plots/regressor_fit.csv"), size=(6, 4))))
    rows, positions = read_arrays("data/latents.npz"), read_arrays("data/map.npz")["positions"]
    n = len(positions)
    figure = draw_map_images(
        positions, rows["train_images"][:n], rows["train_labels"][:n], rows["class_names"], 800, 22
    )
    write_bytes("docs/images/map_images.png", png_bytes(figure))


if __name__ == "__main__":
    main()

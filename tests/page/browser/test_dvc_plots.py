"""The page of `dvc plots show`, with the project's templates, in a real browser without network."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

TABLES = {
    "plots/regressor_loss.csv": "epoch,train_loss,validation_loss\n1,9,9\n2,4,5\n3,3,4\n4,2,6\n",
    "plots/autoencoder_loss.csv": "epoch,train_loss,validation_loss\n1,9,9\n2,4,5\n3,3,4\n4,2,6\n",
    "plots/regressor_fit.csv": "series,x,y,lower,upper\n"
    + "".join(f"{series},{x},{x * x},{x * x - 9},{x * x + 9}\n" for series in ("test data", "fit") for x in range(9)),
    "plots/map_points.csv": "file_name,split,label,x,y\n"
    + "".join(f"{i}.png,train,{('boat', 'car')[i % 2]},{i % 7},{i // 7}\n" for i in range(49)),
}


@pytest.fixture(scope="module")
def plots_page(tmp_path_factory) -> Path:
    """The page that DVC makes of the project's charts, in a project that has nothing else."""
    folder = tmp_path_factory.mktemp("charts") / "project"
    subprocess.run(["git", "init", "-q", folder], check=True)
    shutil.copytree(".dvc/plots", folder / ".dvc/plots")
    shutil.copy(".dvc/config", folder / ".dvc/config")
    plots = [plot for plot in yaml.safe_load(Path("dvc.yaml").read_text())["plots"] if isinstance(plot, dict)]
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"plots": plots}))
    (folder / "plots").mkdir()
    for path, text in TABLES.items():
        (folder / path).write_text(text)
    subprocess.run(["dvc", "plots", "show", "--quiet"], cwd=folder, check=True)
    return folder / "dvc_plots/index.html"


def test_all_charts_are_drawn_without_network(browser, plots_page):
    context = browser.new_context()
    context.set_offline(True)
    page, problems = context.new_page(), []
    page.on("requestfailed", lambda request: problems.append(request.url))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(plots_page.as_uri())
    page.wait_for_function("document.querySelectorAll('canvas.marks, svg.marks').length === 4", timeout=60_000)
    context.close()
    assert problems == []

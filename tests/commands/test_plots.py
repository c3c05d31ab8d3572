import json
import re

import pytest
import yaml
from typer.testing import CliRunner

from commands.fitmap import app
from stages.common.errors import InputError


@pytest.fixture
def project(pipeline, monkeypatch):
    monkeypatch.chdir(pipeline.folder)
    for name in ("PATH", "DVC_SITE_CACHE_DIR"):
        monkeypatch.setenv(name, pipeline.environment[name])
    return pipeline.folder


def test_the_page_holds_every_plot_of_dvc_yaml_and_loads_nothing(project, tmp_path):
    done = CliRunner().invoke(app, ["plots", "HEAD", "--html", str(tmp_path / "page.html")])
    assert done.exit_code == 0, done.exception
    page = (tmp_path / "page.html").read_text()
    for plot in yaml.safe_load((project / "dvc.yaml").read_text())["plots"]:
        name = plot if isinstance(plot, str) else next(iter(plot))
        assert f"<h2>{name}</h2>" in page
    charts = [json.loads(found) for found in re.findall(r"data-chart>(.*?)</script>", page, flags=re.DOTALL)]
    assert len(charts) == 4
    assert all(chart["data"]["values"] for chart in charts)
    markup = re.sub(r"(<script[^>]*>).*?</script>", r"\1", page, flags=re.DOTALL)
    assert "<script" in markup
    assert not re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(?!data:)', markup)
    assert "Plots of HEAD and the workspace" in page


@pytest.mark.parametrize("revision", ["nowhere", "-x"])
def test_what_is_no_revision_is_one_line(project, revision):
    done = CliRunner().invoke(app, ["plots", "--", revision])
    assert isinstance(done.exception, InputError)
    assert revision in str(done.exception)

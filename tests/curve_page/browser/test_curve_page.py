"""The page shows what was recorded, and can be used with a pointer, keys and fingers, offline."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from stages.regressor.network import predict
from stages.scores.pieces_and_dead_units import breakpoints, linear_pieces
from tests.curve_page.recorded import record, record_own


def unscaled(run, v: np.ndarray) -> np.ndarray:
    return run.recording["scale"][2] + run.recording["scale"][3] * v


@pytest.mark.parametrize("name", ["plain", "waves"])
def test_the_fit_at_every_moment_is_the_recorded_one(open_curve_page, pages, name):
    opened, (run, network) = open_curve_page(pages[name]), record(name)
    steps, fits, x = opened.run("""() => {
        const { state } = fitmap, run = state.runs[0];
        const fitAfter = (step) => {
            state.change({ step });
            return [...run.fitAt(state.momentOf(run))];
        };
        return [state.steps, state.steps.map(fitAfter), [...run.grid]];
    }""")
    assert steps == run.recording["step"].tolist()
    np.testing.assert_allclose(fits, unscaled(run, run.recording["fit"].astype(float)), rtol=0, atol=1e-12)
    y, lower, upper = predict(network, np.array(x))
    np.testing.assert_allclose(fits[-1], y, atol=2e-6)
    shown = opened.run("() => { const run = fitmap.state.runs[0]; return [...run.grid].map((x) => run.bandAt(x)); }")
    np.testing.assert_allclose(np.transpose(shown), [lower, upper], atol=2e-6)
    assert opened.problems == []


def test_straight_pieces_meet_where_linear_pieces_counts_them(open_curve_page, pages):
    opened, (_, network) = open_curve_page(pages["plain"]), record("plain")
    ends = network.x_low.item(), network.x_high.item()
    corners = opened.run("() => { const run = fitmap.state.runs[0]; return run.corners(run.last); }")
    np.testing.assert_allclose(corners["x"][1:-1], breakpoints(network, *ends), atol=1e-6)
    assert f"made of {linear_pieces(network, *ends)} straight pieces" in opened.said("fit-said")
    middle = np.array(corners["x"][:-1]) + np.diff(corners["x"]) * 0.37
    shown = opened.run("(x) => { const run = fitmap.state.runs[0]; return x.map((x) => run.valueAt(run.last, x)); }",
                       middle.tolist())  # fmt: skip
    np.testing.assert_allclose(shown, predict(network, middle)[0], atol=1e-5)
    curved = open_curve_page(pages["sigmoid"])
    assert curved.run("() => fitmap.state.runs[0].corners(fitmap.state.runs[0].last)") is None
    assert "No straight pieces" in curved.said("fit-said")


@pytest.mark.parametrize("name", ["plain", "waves", "sigmoid"])
def test_the_units_of_the_last_layer_add_up_to_the_network(open_curve_page, pages, name):
    """Behind waves the weights are rounded to half precision."""
    opened, (run, network) = open_curve_page(pages[name]), record(name)
    x = np.linspace(-1.9, 2.9, 50)
    u = (x - network.x_centre.item()) / network.x_scale.item()
    v, total, without = opened.run(
        """(u) => {
            const run = fitmap.state.runs[0], network = run.networkAt(run.last), inside = network.evaluate(u);
            const { constant, terms } = network.sum(inside);
            const total = inside.v.map((_, i) => terms.reduce((sum, { values }) => sum + values[i], constant));
            const unit = network.contribution(u, inside, 0, 3);
            return [[...inside.v.map((v) => run.y(v))], [...total], [...unit]];
        }""",
        u.tolist(),
    )
    one = network.network(network.encode(network.scale_x(torch.from_numpy(x))))[0].detach().numpy()
    np.testing.assert_allclose(v, unscaled(run, one), atol=0.003 if name == "waves" else 1e-5)
    np.testing.assert_allclose(total, v, atol=1e-9)
    assert np.ptp(without) > 0


def test_without_its_activation_a_plain_network_is_a_straight_line(open_curve_page, pages):
    opened = open_curve_page(pages["plain"])
    opened.page.get_by_label("Take LeakyReLU away").check()
    line = opened.run("""() => {
        const run = fitmap.state.runs[0], network = run.networkAt(run.last);
        return [...network.evaluate(run.u, { bare: true }).v];
    }""")
    np.testing.assert_allclose(np.diff(line, 2), 0, atol=1e-6)
    assert "a straight line is left" in opened.said("experiment-said")
    opened.page.get_by_label("Add the last layer up").check()
    assert (opened.state("terms"), opened.state("bare")) == (1, False)
    opened.page.get_by_label("Terms of the sum").fill("8")
    assert "That is all" in opened.said("experiment-said")
    opened.page.get_by_label("Add the last layer up").uncheck()
    assert opened.said("experiment-said") == ""


def test_play_slider_and_keys_move_through_the_training(open_curve_page, pages):
    opened = open_curve_page(pages["plain"])
    steps = record("plain")[0].recording["step"].tolist()
    when, page = opened.page.locator("#when"), opened.page
    assert when.text_content().startswith(f"step {steps[-1]} of {steps[-1]} · epoch 12 of 12")
    page.keyboard.press("Home")
    assert when.text_content() == "before training"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert opened.state("step") == steps[2]
    page.keyboard.press("ArrowLeft")
    assert opened.state("step") == steps[1]
    page.keyboard.press("End")
    page.locator("#moment").fill("5")
    assert opened.state("step") == steps[5]
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press(" ")
    opened.run("async () => { while (fitmap.state.place < 8) await new Promise(requestAnimationFrame); }")
    page.keyboard.press(" ")
    stopped = opened.state("step")
    assert stopped >= steps[8]
    page.wait_for_timeout(300)
    assert opened.state("step") == stopped
    assert "measured once training is over" in opened.said("fit-said")


def test_hovering_and_arrow_keys_read_x_y_fit_and_band(open_curve_page, pages):
    opened, (_, network) = open_curve_page(pages["plain"]), record("plain")
    box = opened.plot("fit").bounding_box()
    opened.page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 30)
    opened.settle()
    tip = opened.page.locator(".tip").first
    x = opened.state("reading")
    y, lower, upper = (bound[0] for bound in predict(network, np.array([x])))
    shown = tip.inner_text().replace("−", "-").splitlines()
    assert [line.split(":")[0].split(" ")[0] for line in shown] == ["x", "fit", "90", "true"]
    numbers = [
        float(word) for line in shown for word in line.replace("90 %", "").split() if word.lstrip("-")[0].isdigit()
    ]
    np.testing.assert_allclose(numbers[:4], [x, y, lower, upper], rtol=2e-3, atol=2e-3)
    opened.page.mouse.move(5, 5)
    assert tip.is_hidden()
    opened.plot("fit").focus()
    opened.page.keyboard.press("ArrowRight")
    middle = opened.state("reading")
    opened.page.keyboard.press("Shift+ArrowRight")
    opened.settle()
    assert opened.state("reading") > middle
    assert tip.is_visible()
    assert "fit:" in opened.page.locator("#spoken").text_content()


def test_a_point_under_the_pointer_is_named(open_curve_page, pages):
    opened, run = open_curve_page(pages["plain"]), record("plain")[0]
    row = run.points[run.points["split"] == "train"].iloc[7]
    at = opened.run(
        """([x, y]) => {
            const { plot, host } = fitmap.columns[0].fit, box = host.getBoundingClientRect();
            return [box.left + plot.X(x), box.top + plot.Y(y)];
        }""",
        [row["x"], row["y"]],
    )
    opened.page.mouse.move(*at)
    opened.settle()
    assert opened.page.locator(".tip").first.inner_text().startswith("point: x ")


def test_zoom_by_wheel_keys_and_buttons(open_curve_page, pages):
    opened = open_curve_page(pages["plain"])
    opened.plot("fit").hover()
    opened.page.mouse.wheel(0, -600)
    opened.page.wait_for_function("() => fitmap.state.view")
    view = opened.state("view")
    assert 0.1 < view["x1"] - view["x0"] < 3
    opened.page.mouse.down()
    box = opened.plot("fit").bounding_box()
    opened.page.mouse.move(box["x"] + box["width"] / 2 + 80, box["y"] + box["height"] / 2)
    opened.page.mouse.up()
    assert opened.state("view")["x0"] < view["x0"]
    opened.page.keyboard.press("0")
    assert opened.state("view") is None
    opened.page.keyboard.press("+")
    opened.page.get_by_role("button", name="Zoom in").click()
    view = opened.state("view")
    assert view["x1"] - view["x0"] == pytest.approx(5 * 1.024 / 4, rel=0.01)
    opened.page.get_by_role("button", name="whole").click()
    assert opened.state("view") is None


def test_units_can_be_looked_at_with_pointer_and_keys(open_curve_page, pages):
    opened = open_curve_page(pages["plain"])
    opened.plot("network").scroll_into_view_if_needed()
    cell = opened.run("() => fitmap.columns[0].network.cells.find(({ layer, unit }) => layer === 1 && unit === 2)")
    box = opened.plot("network").bounding_box()
    at = box["x"] + cell["x"] + 5, box["y"] + cell["y"] + 5
    opened.page.mouse.move(*at)
    opened.settle()
    assert opened.said("unit-name") == "Unit 3 of hidden layer 2"
    assert "would differ by up to" in opened.said("unit-said")
    assert opened.drawn("output") > 100
    assert opened.drawn("adds") > 100
    opened.page.mouse.move(5, 5)
    assert opened.said("unit-name") == "A unit"
    opened.page.mouse.click(*at)
    opened.page.mouse.move(5, 5)
    assert opened.said("unit-name") == "Unit 3 of hidden layer 2"
    opened.page.keyboard.press("Escape")
    opened.plot("network").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        opened.page.keyboard.press(key)
    assert opened.said("unit-name") == "Unit 2 of hidden layer 2"
    assert opened.problems == []


def test_a_dead_unit_is_told(open_curve_page, pages):
    opened = open_curve_page(pages["dead"])
    dead = opened.run("""() => {
        const { state, columns: [column] } = fitmap;
        const values = column.inside.whole.after[0];
        const unit = values.findIndex((row) => row.every((value) => value === 0));
        if (unit >= 0) state.change({ unit: { run: state.runs[0], layer: 0, unit, kept: true } });
        return unit;
    }""")
    assert dead >= 0
    assert "a dead unit" in opened.said("unit-said")


def test_the_loss_says_when_training_should_have_stopped(open_curve_page, pages):
    opened, run = open_curve_page(pages["plain"]), record("plain")[0]
    best = int(run.recording["epoch_loss"][:, 1].argmin()) + 1
    assert f"epoch {best}" in opened.said("loss-said")
    opened.page.get_by_role("button", name="go there").click()
    assert opened.state("step") == min(run.recording["step"], key=lambda step: abs(step - 15 * best))
    box = opened.plot("loss").bounding_box()
    opened.page.mouse.click(box["x"] + 56, box["y"] + 60)
    assert opened.state("step") == 0
    rising = opened.run("""() => {
        const run = fitmap.state.runs[0];
        run.epochTable = [5, 4, 6].map((validation, i) => ({ epoch: i + 1, step: i + 1, train: 3 - i, validation }));
        fitmap.columns[0].show();
        return fitmap.columns[0].part("loss-said").textContent;
    }""")
    assert "was lowest after epoch 2 of 3" in rising
    assert "rose by 50 %" in rising


def test_another_page_opens_beside_the_first(open_curve_page, pages):
    opened = open_curve_page(pages["plain"])
    opened.page.locator("#files").set_input_files(str(pages["sigmoid"]))
    opened.run("async () => { while (fitmap.state.runs.length < 2) await new Promise(requestAnimationFrame); }")
    opened.settle()
    columns = opened.page.locator(".column")
    assert columns.count() == 2
    assert "activation: sigmoid" in columns.nth(1).locator('[data-part="settings"]').inner_text()
    assert "activation: leaky_relu" in columns.nth(0).locator('[data-part="settings"]').inner_text()
    opened.page.keyboard.press("Home")
    opened.page.keyboard.press("ArrowRight")
    assert opened.run("() => fitmap.state.shownRuns.map((run) => fitmap.state.momentOf(run))") == [1, 1]
    columns.nth(0).locator('[data-part="runs"]').select_option("1")
    assert opened.state("shown") == [1, 1]
    columns.nth(1).get_by_role("button", name="Close this run").click()
    assert opened.state("shown") == [1]
    opened.page.get_by_role("button", name="Compare two runs").click()
    assert opened.state("shown") == [1, 0]
    assert opened.problems == []


def test_a_file_without_runs_is_refused_in_a_line(open_curve_page, pages, tmp_path):
    other = tmp_path / "other.html"
    other.write_text('<script type="text/plain" data-run="x">no run</script><img src=x onerror=window.hacked=1>')
    opened = open_curve_page(pages["plain"])
    opened.page.locator("#files").set_input_files(str(other))
    opened.page.wait_for_function("() => document.getElementById('spoken').textContent !== ''")
    assert "holds no recorded training" in opened.page.locator("#spoken").text_content()
    assert opened.run("() => [fitmap.state.runs.length, window.hacked ?? 0]") == [1, 0]
    assert opened.problems == []


def test_a_network_without_hidden_layers_is_a_straight_line(open_curve_page, write_curve_page):
    opened = open_curve_page(write_curve_page(record("line")[0]))
    assert "one straight line" in opened.said("fit-said")
    assert opened.drawn("network") > 50
    assert opened.problems == []


@pytest.mark.parametrize(("name", "said"), [("plain", "where they meet was not recorded"), ("waves", "as waves")])
def test_a_training_that_was_recorded_from_outside_alone_shows_its_fit(open_curve_page, write_curve_page, name, said):
    run = record(name)[0]
    inside = ("inside", "weights", "mix", "corner_counts", "corners")
    outside = run.recording | {key: run.recording[key][:0] for key in inside}
    opened = open_curve_page(write_curve_page(replace(run, recording=outside)))
    assert said in opened.said("fit-said")
    assert "was not recorded" in opened.said("inside-said")
    assert opened.page.get_by_label("Take LeakyReLU away").is_hidden()
    opened.page.keyboard.press("Home")
    opened.settle()
    assert opened.drawn("fit") > 100
    assert opened.problems == []


def test_own_points_show_names_decades_and_no_true_curve(open_curve_page, pages):
    opened, (_, network) = open_curve_page(pages["own"]), record_own()
    assert "true curve" not in opened.said("legend")
    assert "dose, mg/l itself" in opened.said("settings")
    assert opened.page.locator(".column b").count() == 0
    opened.plot("fit").hover()
    opened.settle()
    tip = opened.page.locator(".tip").first.inner_text()
    assert "dose, mg/l " in tip
    x, y = opened.run("""() => {
        const run = fitmap.state.runs[0];
        return [[...run.grid].map((place) => run.x(place)), [...run.fitAt(run.last)]];
    }""")
    assert min(x) < 0.02
    assert max(x) > 500
    np.testing.assert_allclose(predict(network, np.array(x))[0], y, atol=1e-4)
    assert opened.problems == []


@pytest.mark.parametrize("name", ["plain", "own"])
def test_a_phone_shows_all_in_one_column(open_curve_page, pages, name):
    opened = open_curve_page(pages[name], viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert opened.run("() => document.documentElement.scrollWidth") == 390
    for panel in ("fit", "loss", "residuals", "network", "gradient"):
        assert opened.drawn(panel) > 100, panel
    opened.plot("network").scroll_into_view_if_needed()
    cell = opened.run("() => fitmap.columns[0].network.cells.find(({ layer, unit }) => layer === 0 && unit === 5)")
    box = opened.plot("network").bounding_box()
    opened.page.touchscreen.tap(box["x"] + cell["x"] + 4, box["y"] + cell["y"] + 8)
    assert opened.said("unit-name") == "Unit 6 of hidden layer 1"
    assert opened.problems == []


def test_follows_the_theme_of_the_system_and_its_button(open_curve_page, pages):
    opened = open_curve_page(pages["plain"], color_scheme="dark")
    ground = "() => getComputedStyle(document.body.parentElement).backgroundColor"
    dark = opened.run(ground)
    opened.page.get_by_role("button", name="Light or dark").click()
    assert opened.run(ground) != dark


def test_the_mix_of_both_paths_is_told_at_each_moment(open_curve_page, pages):
    opened = open_curve_page(pages["waves"])
    gate = record("waves")[1].network.gate.item()
    assert f"and {100 * gate:.0f} % of what the layers give" in opened.said("inside-said")
    opened.page.keyboard.press("Home")
    assert "100 % of what the skip connection gives" in opened.said("inside-said")

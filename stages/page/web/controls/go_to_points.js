// Going to points: hovering, pinning, flying, stepping through a list, and leaving again.
import { byId, say } from "../dom_elements.js";
import { isSmall, showPanel } from "./toolbar.js";

const AMONG_OTHERS = 8; // CSS pixels between neighbouring points when an added image is shown where it belongs

export class Navigator {
  constructor(state, map, motion) {
    Object.assign(this, { state, map, motion, data: state.data, lassoArmed: false });
  }

  hover(at) {
    const hovered = at ? this.map.at(...at) : -1;
    this.map.surface.classList.toggle("over-point", hovered >= 0);
    if (hovered !== this.state.hovered) this.state.change({ hovered });
  }

  click(at) {
    const i = this.map.at(...at);
    if (isSmall()) showPanel(this.map, false);
    this.pin(i === this.state.pinned ? -1 : i);
  }

  // Keep the card of point i open; −1 closes it.
  pin(i) {
    this.state.change({ pinned: i, hovered: -1 });
    say(i < 0 ? "" : this.data.describe(i));
  }

  // Pin point i and bring it, large enough to see, to the middle; filters that hide it are removed.
  goTo(i, near) {
    const { state } = this;
    if (state.failed[i]) state.setFilters([]);
    if (!state.isInLayer(i)) state.change({ newShown: true });
    if (isSmall()) showPanel(this.map, false);
    this.pin(i);
    this.motion.goTo(i, near);
  }

  // Show a group as a whole.
  goToGroup(group) {
    const { state, data } = this;
    const { name, code } = data.groups[group];
    const points = Array.from({ length: data.mapped }, (_, i) => i).filter((i) => data.groupColumn.values[i] === code);
    if (!points.some((i) => state.isShown(i))) state.setFilters([]);
    if (isSmall()) showPanel(this.map, false);
    this.motion.goToAll(points);
    say(name);
  }

  // Step through these points, beginning with the first.
  walk(points, near) {
    this.state.change({ steps: points });
    if (points.length) this.goTo(points[0], near);
  }

  // Images that were added just now.
  showAdded(points) {
    this.walk(points, AMONG_OTHERS);
  }

  // Go to the next (1) or previous (−1) point of the list.
  step(by) {
    const { steps, pinned } = this.state;
    if (!steps.length) return;
    const at = steps.indexOf(pinned);
    const next = at < 0 ? (by > 0 ? 0 : steps.length - 1) : (at + by + steps.length) % steps.length;
    this.goTo(steps[next], AMONG_OTHERS);
  }

  pinCentre() {
    this.pin(this.map.central());
  }

  select(points) {
    this.state.change({ selected: points.length ? new Set(points.sort((i, j) => i - j)) : null });
    if (points.length) showPanel(this.map, true);
  }

  // Select point i alone, to give it a class or a tag.
  label(i) {
    this.select([i]);
    byId("new-tag").focus();
  }

  armLasso(armed) {
    this.lassoArmed = armed;
    byId("lasso").setAttribute("aria-pressed", armed);
    this.map.surface.classList.toggle("lassoing", armed);
  }

  showLasso(path) {
    this.map.lasso = path;
    this.map.redraw();
  }

  finishLasso(path) {
    this.showLasso(null);
    this.armLasso(false);
    if (path.length >= 3) this.select(this.map.inside(path));
  }

  // Leave what is innermost: the lasso, the pinned point, the selection, the search.
  escape() {
    const { state } = this;
    if (this.map.lasso || this.lassoArmed) {
      this.showLasso(null);
      this.armLasso(false);
    } else if (state.pinned >= 0) this.pin(-1);
    else if (state.selected) state.change({ selected: null });
    else if (state.search) state.change({ search: "" });
    else if (state.filters.size) state.setFilters([]);
  }
}

// The state of the page: what the reader has chosen. Controls change it, views draw it.

export class State {
  constructor(runs) {
    this.runs = runs;
    this.shown = runs.length > 1 ? [0, 1] : [0]; // numbers of the runs beside each other, one or two
    this.step = Infinity; // of the training; each run shows its last moment up to it
    this.playing = false;
    this.view = null; // what the fits show: { x0, x1, y0, y1 } in positions on the axes; null: everything
    this.reading = null; // position on the x axis where the fit is read
    this.unit = null; // the hidden unit looked at: { run, layer, unit, kept }
    this.terms = null; // of the sum of the last layer that are added up; null: no sum is shown
    this.bare = false; // show the network without its activation
    this.listeners = [];
  }

  // Call `listener` after a change of any of `keys`.
  onChange(keys, listener) {
    this.listeners.push({ keys, listener });
  }

  change(patch) {
    Object.assign(this, patch);
    for (const { keys, listener } of this.listeners) if (keys.some((key) => key in patch)) listener();
  }

  get shownRuns() {
    return this.shown.map((index) => this.runs[index]);
  }

  // The steps at which any run that is shown was recorded, ascending.
  get steps() {
    return [...new Set(this.shownRuns.flatMap((run) => [...run.step]))].sort((a, b) => a - b);
  }

  // The number of the moment of these steps that is shown.
  get place() {
    return lastUpTo(this.steps, this.step);
  }

  go(place) {
    const { steps } = this;
    this.change({ step: steps[Math.max(0, Math.min(steps.length - 1, place))] });
  }

  // Pause at the recorded moment nearest to a step; `distance` measures how far steps are from it.
  pauseAt(step, distance = (other) => Math.abs(other - step)) {
    const { steps } = this;
    const distances = steps.map(distance);
    this.change({ playing: false, step: steps[distances.indexOf(Math.min(...distances))] });
  }

  // The moment that a run shows.
  momentOf(run) {
    return lastUpTo(run.step, this.step);
  }

  // Add runs and show the last of them beside the first that is shown.
  add(runs) {
    this.runs.push(...runs);
    this.show([this.shown[0], this.runs.length - 1]);
  }

  // Show runs beside each other, at the end of their training.
  show(shown) {
    this.change({ runs: this.runs, shown, unit: null, view: null, playing: false });
    this.go(Infinity);
  }
}

// The index of the last of ascending numbers that is not above `limit`, at least 0.
export function lastUpTo(numbers, limit) {
  let index = 0;
  while (index + 1 < numbers.length && numbers[index + 1] <= limit) index++;
  return index;
}

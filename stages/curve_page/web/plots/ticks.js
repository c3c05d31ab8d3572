// Where an axis has its ticks, and how numbers are written.

const DAY = 86_400_000;

// A number with about `digits` significant digits, a minus sign and grouped thousands.
export function shown(value, digits = 4) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(Math.min(digits - 1, 2)).replace(/\.?0*e\+?/, "e").replace(/-/g, "−");
  const rounded = Number(value.toPrecision(digits));
  return rounded.toLocaleString("en", { maximumFractionDigits: 8 }).replace("-", "−");
}

// [{ at, text }] between low and high at round numbers, about `count` of them.
export function linearTicks(low, high, count) {
  const step = niceStep((high - low) / count);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) {
    const at = k * step;
    ticks.push({ at, text: tickText(at, step) });
  }
  return ticks;
}

function tickText(at, step) {
  if (at === 0) return "0";
  if (Math.abs(at) >= 1e7 || step < 1e-6) return shown(at, 3);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const separate = Math.abs(at) >= 10000;
  return at.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: separate }).replace("-", "−");
}

export function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
}

// Ticks of a logarithmic axis whose positions are natural logarithms.
export function logTicks(low, high, count) {
  const decades = (high - low) / Math.LN10;
  if (decades < 0.7) {
    return linearTicks(Math.exp(low), Math.exp(high), count).filter(({ at }) => at > 0).map(({ at, text }) => ({ at: Math.log(at), text }));
  }
  const factors = decades > 0.7 * count ? [1] : decades > 0.4 * count ? [1, 3] : [1, 2, 5];
  const every = Math.ceil(decades / count);
  const ticks = [];
  for (let power = Math.floor(low / Math.LN10); power <= high / Math.LN10; power++) {
    if (power % every) continue;
    for (const factor of factors) {
      const value = factor * 10 ** power;
      const at = Math.log(value);
      if (at >= low - 1e-9 && at <= high + 1e-9) ticks.push({ at, text: shown(value, 2) });
    }
  }
  return ticks;
}

// Ticks of an axis of days since 1970-01-01.
export function dateTicks(low, high, count) {
  const days = (high - low) / count;
  const date = (at) => new Date(at * DAY);
  if (days < 20) {
    const step = Math.max(niceStep(days), 1);
    return linearTicks(low, high, (high - low) / step).map(({ at }) => ({ at, text: date(at).toISOString().slice(0, 10) }));
  }
  const months = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200].find((step) => step * 30.4 >= days) ?? 12_000;
  const ticks = [];
  const first = date(low);
  let month = Math.floor((first.getUTCFullYear() * 12 + first.getUTCMonth()) / months) * months;
  for (; ; month += months) {
    const at = Date.UTC(Math.floor(month / 12), month % 12) / DAY;
    if (at > high) return ticks;
    const text = date(at).toISOString();
    if (at >= low) ticks.push({ at, text: months % 12 ? text.slice(0, 7) : text.slice(0, 4) });
  }
}

// The x of a run at a position, in words.
export function xText(run, place) {
  return run.dates ? new Date(Math.round(place * DAY)).toISOString().slice(0, 10) : shown(run.x(place), 4);
}

export const ticksOf = (run) => (run.dates ? dateTicks : run.logX ? logTicks : linearTicks);

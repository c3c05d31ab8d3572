// A column of the samples: typed values, one for each point, and how they are written.

export class Column {
  // key: unique name; title: what readers see; type: category | number | date | text | link.
  // values: codes (0 missing, k + 1 for categories[k]), numbers (NaN missing; dates in ms since 1970), or strings.
  constructor(described, values) {
    Object.assign(this, { categories: [] }, described, { values });
    this.isCategory = this.type === "category";
    this.isNumeric = this.type === "number" || this.type === "date";
    if (this.isNumeric) this.measure();
  }

  measure() {
    const sorted = Float64Array.from(this.values).filter(Number.isFinite).sort();
    this.low = sorted[0] ?? 0;
    this.high = sorted.at(-1) ?? 1;
    // the ends of the colour scale, so that a few outliers do not flatten the rest
    this.scaleLow = sorted[Math.floor(0.02 * (sorted.length - 1))] ?? 0;
    this.scaleHigh = sorted[Math.ceil(0.98 * (sorted.length - 1))] ?? 1;
    this.withTime = this.type === "date" && sorted.some((value) => value % 86400000 !== 0);
  }

  has(i) {
    const value = this.values[i];
    return this.isNumeric ? Number.isFinite(value) : Boolean(value);
  }

  // The value of point i as text; "" if missing.
  text(i) {
    if (!this.has(i)) return "";
    if (this.isCategory) return this.categories[this.values[i] - 1];
    return this.isNumeric ? this.written(this.values[i]) : this.values[i];
  }

  written(value) {
    if (this.type === "date") return new Date(value).toISOString().slice(0, this.withTime ? 16 : 10).replace("T", " ");
    return this.digits ? value.toFixed(this.digits) : writtenNumber(value);
  }

  // Give point i another category, which is new if need be; "" for none.
  setCategory(i, name) {
    if (name && !this.categories.includes(name)) {
      this.categories.push(name);
      this.colours?.push("#808080");
      if (this.categories.length >= 2 ** (8 * this.values.BYTES_PER_ELEMENT)) this.values = Int32Array.from(this.values);
    }
    this.values[i] = this.categories.indexOf(name) + 1;
  }

  // Add a point without a value.
  append() {
    if (Array.isArray(this.values)) this.values.push("");
    else {
      const longer = new this.values.constructor(this.values.length + 1);
      longer.set(this.values);
      if (this.isNumeric) longer[longer.length - 1] = NaN;
      this.values = longer;
    }
  }
}

// A number as people write it: 4 significant digits; thousands grouped from 10,000 on, so that years stay years.
export function writtenNumber(value) {
  if (Number.isInteger(value)) return Math.abs(value) < 10000 ? String(value) : grouped(value);
  return String(Number(value.toPrecision(4)));
}

// 12,345 – written out here, since the browser's own formatter takes longer to load than the map to draw.
export const grouped = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

export const count = (n, noun, plural = `${noun}s`) => `${grouped(n)} ${n === 1 ? noun : plural}`;

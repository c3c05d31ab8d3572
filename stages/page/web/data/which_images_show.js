// How much room each point has for its image: the order in which images appear as one zooms in.

// For each point from `first` to `last` the distance that it keeps from all more important ones, at least `least`: the
// order in which images appear as one zooms in. Found coarse to fine: each level takes every point that is a level's
// distance from all taken before it, and between levels the page may answer. Written into `room`.
export async function roomAround(positions, dimensions, [first, last], extent, least, room) {
  const buckets = 1 << 17;
  const head = new Int32Array(buckets); // a hash table of cells; a collision costs time, never correctness
  const next = new Int32Array(last);
  const at = (i, axis) => (axis < dimensions ? positions[dimensions * i + axis] : 0);
  const bucket = (x, y, z) => (Math.imul(x, 73856093) ^ Math.imul(y, 19349663) ^ Math.imul(z, 83492791)) & (buckets - 1);
  const deep = dimensions === 3 ? 1 : 0;
  const taken = [];
  let waiting = shuffled(first, last);
  room.fill(least, first, last);
  for (let distance = extent / 4; distance > least && waiting.length; distance /= 1.4) {
    const cell = (i, axis) => Math.floor(at(i, axis) / distance);
    const put = (i) => {
      const b = bucket(cell(i, 0), cell(i, 1), cell(i, 2));
      next[i] = head[b];
      head[b] = i;
    };
    // The square distance to the nearest taken point, if that is within reach of a cell.
    const nearest = (i) => {
      let least = (1.4 * distance) ** 2;
      const [x, y, z] = [cell(i, 0), cell(i, 1), cell(i, 2)];
      for (let dx = -1; dx <= 1; dx++) {
        for (let dy = -1; dy <= 1; dy++) {
          for (let dz = -deep; dz <= deep; dz++) {
            for (let j = head[bucket(x + dx, y + dy, z + dz)]; j >= 0; j = next[j]) {
              const square = (at(i, 0) - at(j, 0)) ** 2 + (at(i, 1) - at(j, 1)) ** 2 + (at(i, 2) - at(j, 2)) ** 2;
              if (square < least) least = square;
            }
          }
        }
      }
      return least;
    };
    head.fill(-1);
    taken.forEach(put);
    waiting = waiting.filter((i) => {
      const square = nearest(i);
      if (square < distance * distance) return true;
      room[i] = Math.sqrt(square);
      taken.push(i);
      put(i);
      return false;
    });
    await new Promise((resolve) => setTimeout(resolve));
  }
}

// first … last−1 in an order that is mixed and always the same (a multiplicative congruential generator, Fisher-Yates).
function shuffled(first, last) {
  const order = Array.from({ length: last - first }, (_, i) => first + i);
  let random = 1;
  for (let i = order.length - 1; i > 0; i--) {
    random = (random * 48271) % 2147483647;
    const j = random % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

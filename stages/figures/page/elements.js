// Making parts of the page. Text goes in as text, never as markup.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// A canvas of exactly the pixels of point i's image; the style sheet enlarges it.
export function spriteCanvas(sprites, i, wanted) {
  const { width, height } = sprites.cell;
  const canvas = element("canvas", { width, height });
  sprites.draw(canvas.getContext("2d"), i, 0, 0, width, height, wanted).then(() => (canvas.dataset.point = i));
  return canvas;
}

export const count = (n, noun, plural = `${noun}s`) => `${n.toLocaleString("en")} ${n === 1 ? noun : plural}`;

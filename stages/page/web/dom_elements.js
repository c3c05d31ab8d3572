// Making parts of the page. Text goes in as text, never as markup.

export const byId = (id) => document.getElementById(id);

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// A button that calls `act`.
export function button(text, act, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", act);
  return made;
}

// A canvas of exactly the pixels of point i's image; the style sheet enlarges it.
export function spriteCanvas(sprites, i, wanted) {
  const { width, height } = sprites.cell;
  const canvas = element("canvas", { width, height });
  sprites.draw(canvas.getContext("2d"), i, 0, 0, width, height, wanted).then(() => (canvas.dataset.point = i));
  return canvas;
}

// Tell screen readers; `aloud` shows it to everybody for a moment.
export function say(text, aloud = false) {
  const said = byId("spoken");
  said.textContent = text;
  if (!aloud) return;
  said.classList.add("toast");
  setTimeout(() => said.classList.remove("toast"), 2500);
}

// Hand a text to the reader as a file.
export function download(name, text, type) {
  const link = element("a", { download: name, href: URL.createObjectURL(new Blob([text], { type })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
    say(said, true);
    return true;
  } catch {
    return false;
  }
}

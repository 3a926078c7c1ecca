// Builds DOM nodes. Data only ever becomes text nodes and attributes, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** h("button", {class: "x", on: {click: f}, "aria-label": "y"}, "text", node, null) */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) setProp(node, name, value);
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function setProp(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "on") {
    for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
  } else if (name === "value" || name === "checked" || name === "selected") {
    node[name] = value;
  } else {
    node.setAttribute(name, value === true ? "" : String(value));
  }
}

// Line icons, 20 by 20: one path each.
const ICONS = {
  hash: "M8 3 6.5 17M13.5 3 12 17M3.5 7.5h13M3 12.5h13",
  lock: "M5 9h10v7.5H5zM7 9V6.5a3 3 0 0 1 6 0V9",
  menu: "M3 5.5h14M3 10h14M3 14.5h14",
  close: "M5 5l10 10M15 5 5 15",
  back: "M12 4l-6 6 6 6",
  chevron: "M6 8l4 4 4-4",
  send: "M3.5 10 16.5 4 13 16.5l-3.2-5.2zM9.8 11.3l6.5-7",
  reply: "M4 5.5h12v8H9l-3.5 3v-3H4z",
  dots: "M5 10h.01M10 10h.01M15 10h.01",
  trash: "M4 6h12M8 6V4h4v2M6 6l.7 10h6.6L14 6",
  eye: "M2.5 10S5 5 10 5s7.5 5 7.5 5-2.5 5-7.5 5-7.5-5-7.5-5zM10 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4",
  warn: "M10 3.5 17.5 16.5h-15zM10 8.5v3.5M10 14.3v.01",
  info: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14M10 9.5v4M10 6.6v.01",
  ok: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14M6.8 10.2l2.3 2.3 4.2-4.8",
  stop: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14M7.5 7.5l5 5M12.5 7.5l-5 5",
  house: "M3.5 9.5 10 4l6.5 5.5M5.5 8.5v7.5h9V8.5",
  plug: "M7 3v4M13 3v4M5 7h10v3a5 5 0 0 1-10 0zM10 15v3",
  laptop: "M4.5 5h11v8h-11zM2.5 15.5h15",
  image: "M3.5 4.5h13v11h-13zM3.5 13l4-4 4.5 4.5 2-2 2.5 2.5M12.5 8h.01",
};

export function icon(name, className = "icon") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

export function iconButton(name, label, onClick, className = "") {
  return h(
    "button",
    { type: "button", class: `icon-button ${className}`, "aria-label": label, title: label, on: { click: onClick } },
    icon(name),
  );
}

/** Brings the children of `parent` to `wanted`, moving as little as possible (focus and scroll stay). */
export function reconcile(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  let at = parent.firstElementChild;
  for (const node of wanted) {
    if (node === at) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
  }
}

let ids = 0;
export const newId = (prefix) => `${prefix}-${++ids}`;

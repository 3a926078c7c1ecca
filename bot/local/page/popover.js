// A small menu under a button: arrow keys, Escape, and a click elsewhere closes it.

import { h } from "./dom.js";

let open = null;

export function closeMenu({ refocus = false } = {}) {
  if (!open) return;
  const { node, anchor, stop } = open;
  open = null;
  stop.abort();
  node.remove();
  anchor.setAttribute("aria-expanded", "false");
  if (refocus) anchor.focus();
}

/** items: [{content, pick, className?, current?, href?}] */
export function openMenu(anchor, items, { label, className = "" } = {}) {
  const again = open?.anchor === anchor;
  closeMenu();
  if (again) return;
  const node = h("div", { class: `menu ${className}`, role: "menu", "aria-label": label });
  node.append(...items.map((item) => menuItem(item)));
  (anchor.closest("dialog") ?? document.body).append(node);
  place(node, anchor);
  anchor.setAttribute("aria-expanded", "true");
  open = { node, anchor, stop: new AbortController() };
  listenAround(node, anchor, open.stop.signal);
  (node.querySelector("[aria-checked=true]") ?? node.firstElementChild)?.focus();
}

function menuItem({ content, pick, className = "", current, href }) {
  const choose = () => {
    closeMenu({ refocus: true });
    pick?.();
  };
  const role = current === undefined ? "menuitem" : "menuitemradio";
  const shared = { class: `menu-item ${className}`, role, "aria-checked": current === undefined ? null : String(current), on: { click: choose } };
  if (href) return h("a", { ...shared, href, target: "_blank", rel: "noopener noreferrer" }, content);
  return h("button", { ...shared, type: "button" }, content);
}

function place(node, anchor) {
  const at = anchor.getBoundingClientRect();
  const margin = 8;
  const left = Math.min(at.left, window.innerWidth - node.offsetWidth - margin);
  const below = at.bottom + 4;
  const above = at.top - node.offsetHeight - 4;
  const fits = below + node.offsetHeight < window.innerHeight - margin;
  node.style.left = `${Math.max(margin, left)}px`;
  node.style.top = `${fits ? below : Math.max(margin, above)}px`;
}

function listenAround(node, anchor, signal) {
  const outside = (event) => {
    if (!node.contains(event.target) && !anchor.contains(event.target)) closeMenu();
  };
  document.addEventListener("pointerdown", outside, { signal, capture: true });
  window.addEventListener("resize", () => closeMenu(), { signal });
  node.addEventListener("keydown", (event) => onKey(event, node), { signal });
}

function onKey(event, node) {
  if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    closeMenu({ refocus: true });
  }
  if (event.key === "Tab") closeMenu();
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const all = [...node.children];
  all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
}

// Faces and badges of people and of the app.

import { app, displayName, isBot, user } from "./directory.js";
import { h } from "./dom.js";

export function avatar(one, size = "medium") {
  const className = `avatar avatar-${size}`;
  if (isBot(one) && (!user(one.id) || one.id === app().bot_user_id)) {
    return h("img", { class: className, src: "/page/icon.svg", alt: "" });
  }
  const node = h("span", { class: className, "aria-hidden": "true" }, initials(displayName(one)));
  node.style.setProperty("--face", /^#[0-9a-f]{6}$/i.test(one?.color ?? "") ? one.color : "#64748b");
  return node;
}

function initials(name) {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...word][0].toUpperCase()).join("");
}

export function badges(one) {
  const found = [];
  if (isBot(one)) found.push(["app", "App"]);
  if (one?.is_ultra_restricted) found.push(["guest", "Single-channel guest"]);
  else if (one?.is_restricted) found.push(["guest", "Guest"]);
  if (one?.deleted) found.push(["gone", "Deactivated"]);
  return found.map(([kind, label]) => h("span", { class: `badge badge-${kind}` }, label));
}

// Pieces of text that mrkdwn and rich_text share: mentions, links, dates.

import { channel, displayName, group, me, user } from "./directory.js";
import { fullTime, formatDate } from "./dates.js";
import { h } from "./dom.js";
import { addressOf, ofPermalink } from "./place.js";

/** Opens a channel when its mention is clicked, and a place when its permalink is; app.js says how. */
export const navigation = { openChannel: () => {}, openPlace: () => {} };

const SAFE = new Set(["http:", "https:", "mailto:"]);

/** The address when a browser may follow it, else undefined. */
export function safeAddress(address) {
  try {
    return SAFE.has(new URL(address).protocol) ? address : undefined;
  } catch {
    return undefined;
  }
}

export function link(address, label) {
  const text = label || address;
  if (!safeAddress(address)) return h("span", { class: "not-a-link", title: "Not a web or mail address" }, text);
  const place = ofPermalink(address);
  if (place) return permalink(place, text, address);
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer", title: address }, text);
}

/** A message of this workspace: opened here, by who one is. */
function permalink(place, text, address) {
  const open = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    navigation.openPlace(place);
  };
  return h("a", { href: addressOf({ as: me()?.id, ...place }), title: address, on: { click: open } }, text);
}

const mention = (text, forMe) => h("span", { class: forMe ? "mention mention-me" : "mention", "data-testid": "mention" }, text);

export function userMention(id, label) {
  const one = user(id);
  return mention(`@${one ? displayName(one) : label || id}`, id === me()?.id);
}

export function groupMention(id, label) {
  const one = group(id);
  const name = one ? one.handle : label || id;
  return mention(name.startsWith("@") ? name : `@${name}`, Boolean(one?.users?.includes(me()?.id)));
}

export const broadcast = (range) => mention(`@${range}`, true);

export function channelMention(id, label) {
  const one = channel(id);
  if (!one || one.is_im) return mention(`#${label || "private-channel"}`, false);
  return h(
    "button",
    { type: "button", class: "mention mention-channel", "data-testid": "mention", on: { click: () => navigation.openChannel(id) } },
    `#${one.name}`,
  );
}

export function dateText(timestamp, format, address, fallback) {
  const text = formatDate(timestamp, format);
  if (text === undefined) return document.createTextNode(fallback ?? "");
  const date = new Date(Number(timestamp) * 1000);
  const time = h("time", { datetime: date.toISOString(), title: fullTime(date) }, text);
  if (!address || !safeAddress(address)) return time;
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, time);
}

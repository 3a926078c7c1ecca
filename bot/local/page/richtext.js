// rich_text blocks -> DOM nodes: sections, lists, quotes, preformatted.

import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { broadcast, channelMention, dateText, groupMention, link, userMention } from "./inline.js";

export function richText(block) {
  return h("div", { class: "rich-text" }, (block.elements ?? []).map(part));
}

function part(element) {
  const draw = PARTS[element.type];
  return draw ? draw(element) : h("div", { class: "unsupported" }, `Unsupported rich text: ${element.type}`);
}

const PARTS = {
  rich_text_section: (element) => h("div", { class: "run" }, leaves(element)),
  rich_text_quote: (element) => h("blockquote", null, leaves(element)),
  rich_text_preformatted: (element) => h("pre", { class: "fence" }, leaves(element)),
  rich_text_list: list,
};

const leaves = (element) => (element.elements ?? []).map(leaf);

function list(element) {
  const ordered = element.style === "ordered";
  const items = (element.elements ?? []).map((one) => h("li", null, leaves(one)));
  const indent = Math.min(Number(element.indent) || 0, 8);
  const start = ordered && element.offset ? Number(element.offset) + 1 : null;
  return h(ordered ? "ol" : "ul", { class: `list list-${ordered ? "o" : "u"}${indent % 3}`, "data-indent": indent, start }, items);
}

function leaf(element) {
  const draw = LEAVES[element.type];
  const node = draw ? draw(element) : document.createTextNode(element.text ?? `[${element.type}]`);
  return withStyle(node, element.style ?? {});
}

const LEAVES = {
  text: ({ text }) => document.createTextNode(text),
  link: ({ url, text }) => link(url, text),
  user: ({ user_id }) => userMention(user_id),
  usergroup: ({ usergroup_id }) => groupMention(usergroup_id),
  channel: ({ channel_id }) => channelMention(channel_id),
  broadcast: ({ range }) => broadcast(range),
  emoji: ({ name, unicode }) => h("span", { class: "emoji", title: `:${name}:` }, emoji(name) ?? fromUnicode(unicode) ?? `:${name}:`),
  date: ({ timestamp, format, url, fallback }) => dateText(timestamp, format ?? "", url, fallback),
  color: ({ value }) => document.createTextNode(value),
};

function fromUnicode(codes) {
  if (!codes) return undefined;
  return String.fromCodePoint(...codes.split("-").map((code) => Number.parseInt(code, 16)));
}

const STYLES = { bold: "strong", italic: "em", strike: "s", underline: "u", code: "code" };

function withStyle(node, style) {
  return Object.entries(STYLES).reduce((inner, [name, tag]) => (style[name] ? h(tag, null, inner) : inner), node);
}

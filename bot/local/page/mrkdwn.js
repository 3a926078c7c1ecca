// Slack's mrkdwn -> DOM nodes. What Slack does not format stays text; nothing here ever becomes markup.

import { h } from "./dom.js";
import { emoji, withEmoji } from "./emoji.js";
import { broadcast, channelMention, dateText, groupMention, link, userMention } from "./inline.js";

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
export const decode = (text) => text.replace(/&(amp|lt|gt);/g, (entity) => ENTITIES[entity]);

/** options: verbatim (no address becomes a link), mentions (a bare @here does), lineBreaks. */
export function mrkdwn(text, options = {}) {
  const out = document.createDocumentFragment();
  const pieces = String(text ?? "").split(/```([\s\S]+?)```/);
  pieces.forEach((piece, index) => {
    if (index % 2) out.append(h("pre", { class: "fence" }, plainTokens(piece.replace(/^\n/, "").replace(/\n$/, ""))));
    else lines(trimAround(piece, index > 0, index < pieces.length - 1), out, options);
  });
  return out;
}

function trimAround(piece, afterFence, beforeFence) {
  let text = afterFence ? piece.replace(/^\n/, "") : piece;
  if (beforeFence) text = text.replace(/\n$/, "");
  return text;
}

const QUOTE = /^(?:>|&gt;)(?!(?:>|&gt;){2}) ?/;
const QUOTE_REST = /^(?:>|&gt;){3} ?/;
const ITEM = /^(\s*)(•|◦|▪︎|-|\d{1,3}\.) (.*)$/;

function lines(text, out, options) {
  if (!text) return;
  const all = text.split("\n");
  let open = null; // the run of lines being gathered: {kind, node}
  for (let at = 0; at < all.length; at += 1) {
    if (QUOTE_REST.test(all[at])) {
      const rest = all.slice(at).join("\n").replace(QUOTE_REST, "");
      out.append(h("blockquote", null, inline(rest, options)));
      return;
    }
    open = line(all[at], open, out, options);
  }
}

function line(text, open, out, options) {
  if (QUOTE.test(text)) return gather("quote", text.replace(QUOTE, ""), open, out, options);
  const item = ITEM.exec(text);
  if (!item) return gather("text", text, open, out, options);
  const row = h("div", { class: "item" }, h("span", { class: "item-mark" }, `${item[1]}${item[2]}`));
  row.append(h("span", { class: "item-text" }, inline(item[3], options)));
  out.append(row);
  return { kind: "item" };
}

function gather(kind, text, open, out, options) {
  if (open?.kind === kind) {
    open.node.append("\n", inline(text, options));
    return open;
  }
  const node = h(kind === "quote" ? "blockquote" : "span", { class: kind === "text" ? "run" : null }, inline(text, options));
  out.append(node);
  return { kind, node };
}

const WORD = /[\p{L}\p{N}]/u;
const STYLES = { "*": "strong", _: "em", "~": "s" };
const ADDRESS = /^https?:\/\/[^\s<>|]+/;
const EVERYBODY = /^@(here|channel|everyone)\b/;

/** One run of text, line breaks included (CSS keeps them). */
export function inline(text, options = {}) {
  const out = document.createDocumentFragment();
  let plain = "";
  let at = 0;
  while (at < text.length) {
    const found = special(text, at, options);
    if (found) {
      if (plain) out.append(decode(plain));
      plain = "";
      out.append(found.node);
      at += found.length;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  if (plain) out.append(decode(plain));
  return out;
}

function special(text, at, options) {
  const char = text[at];
  if (char === "<") return angle(text.slice(at));
  if (char === "`") return code(text, at);
  if (STYLES[char]) return styled(text, at, options);
  if (char === ":") return emojiName(text.slice(at));
  if (char === "h" && !options.verbatim) return bareAddress(text, at);
  if (char === "@" && options.mentions && !options.verbatim) return everybody(text, at);
  return null;
}

const isWord = (char) => char !== undefined && WORD.test(char);

function styled(text, at, options) {
  const mark = text[at];
  if (isWord(text[at - 1]) || text[at - 1] === mark) return null;
  if (/\s/.test(text[at + 1] ?? " ") || text[at + 1] === mark) return null;
  const end = closing(text, at, mark);
  if (end < 0) return null;
  const inner = inline(text.slice(at + 1, end), options);
  return { node: h(STYLES[mark], null, inner), length: end - at + 1 };
}

function closing(text, at, mark) {
  for (let end = at + 1; end < text.length && text[end] !== "\n"; end += 1) {
    const skip = text[end] === "<" ? /^<[^<>\n]+>/.exec(text.slice(end)) : null;
    if (skip) end += skip[0].length - 1;
    else if (text[end] === mark && end > at + 1 && !/\s/.test(text[end - 1]) && !isWord(text[end + 1])) return end;
  }
  return -1;
}

function code(text, at) {
  const found = /^`([^`\n]+)`/.exec(text.slice(at));
  if (!found) return null;
  return { node: h("code", null, plainTokens(found[1])), length: found[0].length };
}

/** Inside code only entities and <...> are read. */
function plainTokens(text) {
  return text.split(/(<[^<>\n]+>)/).map((piece, index) => (index % 2 ? angle(piece).node : decode(piece)));
}

function emojiName(text) {
  const found = /^:([a-z0-9_+'-]+):(?::skin-tone-[2-6]:)?/.exec(text);
  const char = found && emoji(found[1]);
  if (!char) return null;
  const node = h("span", { class: "emoji", role: "img", "aria-label": found[1].replaceAll("_", " "), title: `:${found[1]}:` }, char);
  return { node, length: found[0].length };
}

function bareAddress(text, at) {
  if (isWord(text[at - 1])) return null;
  const found = ADDRESS.exec(text.slice(at));
  if (!found) return null;
  const address = found[0].replace(/[.,;:!?)'"*_~\]]+$/, "");
  return { node: link(decode(address)), length: address.length };
}

function everybody(text, at) {
  const found = isWord(text[at - 1]) ? null : EVERYBODY.exec(text.slice(at));
  return found ? { node: broadcast(found[1]), length: found[0].length } : null;
}

function angle(text) {
  const found = /^<([^<>\n]+)>/.exec(text);
  if (!found) return null;
  const cut = found[1].indexOf("|");
  const target = cut < 0 ? found[1] : found[1].slice(0, cut);
  const label = cut < 0 ? "" : decode(found[1].slice(cut + 1));
  return { node: token(target, label) ?? document.createTextNode(decode(found[0])), length: found[0].length };
}

function token(target, label) {
  if (/^@[UW][A-Z0-9]+$/.test(target)) return userMention(target.slice(1), label);
  if (/^#[CGD][A-Z0-9]+$/.test(target)) return channelMention(target.slice(1), label);
  if (target.startsWith("!")) return command(target.slice(1), label);
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return link(decode(target), label && withEmoji(label));
  return null;
}

function command(target, label) {
  if (/^(here|channel|everyone)$/.test(target)) return broadcast(target);
  const [kind, ...rest] = target.split("^");
  if (kind === "subteam") return groupMention(rest[0] ?? "", label);
  if (kind === "date") return dateText(rest[0], decode(rest[1] ?? ""), rest[2], label);
  return label ? document.createTextNode(label) : null;
}

/** A text object of Block Kit: {type: "mrkdwn" | "plain_text", text, verbatim?, emoji?}. */
export function textObject(object) {
  if (!object) return "";
  if (object.type === "mrkdwn") return mrkdwn(object.text, { verbatim: object.verbatim === true, mentions: true });
  return plain(object);
}

/** A plain_text object (or a string) as a string. */
export function plain(object) {
  if (typeof object === "string") return object;
  return object?.emoji === false ? object.text : withEmoji(object?.text ?? "");
}

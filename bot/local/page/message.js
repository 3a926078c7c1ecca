// One message: who, when, its blocks or text, its thread, and what can be done with it.

import { avatar, badges } from "./avatar.js";
import { clock, fullTime, lastReply, tsToDate } from "./dates.js";
import { author, displayName, user } from "./directory.js";
import { drawAttachment, drawBlocks } from "./blocks.js";
import { h, icon, iconButton } from "./dom.js";
import { messageSurface } from "./interact.js";
import { mrkdwn, plain } from "./mrkdwn.js";

/** use: {channelId, grouped, inThread, openThread(ts), dismiss(message), remove(message)}. */
export function drawMessage(message, use) {
  if (message.subtype === "tombstone") return tombstone(message, use);
  const who = author(message);
  const warning = h("div", { class: "message-warning", role: "status" });
  const warn = (text) => warning.replaceChildren(...(text ? [icon("warn"), h("span", null, text)] : []));
  const node = h(
    "article",
    {
      class: `message${use.grouped ? " grouped" : ""}${message.is_ephemeral ? " ephemeral" : ""}`,
      tabindex: "-1",
      "data-testid": "message",
      "data-ts": message.ts,
      "aria-label": `${displayName(who)}, ${clock(tsToDate(message.ts))}`,
    },
    h("div", { class: "message-side" }, use.grouped ? time(message, true) : avatar(who)),
    h(
      "div",
      { class: "message-main" },
      message.is_ephemeral ? ephemeralNote(message, use) : null,
      use.grouped ? null : head(message, who),
      content(message, messageSurface(use.channelId, message, warn)),
      warning,
      threadSummary(message, use),
    ),
    tools(message, use),
  );
  return node;
}

function tombstone(message, use) {
  const summary = threadSummary(message, use);
  const text = h("p", { class: "tombstone" }, icon("trash"), "This message was deleted.");
  const main = h("div", { class: "message-main" }, text, summary);
  return h("article", { class: "message", tabindex: "-1", "data-testid": "message", "data-ts": message.ts }, h("div", { class: "message-side" }), main);
}

function time(message, brief = false) {
  const date = tsToDate(message.ts);
  const text = brief ? clock(date).replace(/\s?[AP]M$/i, "") : clock(date);
  return h("time", { class: "message-time", datetime: date.toISOString(), title: fullTime(date) }, text);
}

function head(message, who) {
  return h(
    "div",
    { class: "message-head" },
    h("span", { class: "message-author" }, displayName(who)),
    badges(who),
    time(message),
    message.edited && message.blocks?.length ? edited(message) : null,
  );
}

const edited = (message) =>
  h("span", { class: "edited", title: message.edited.ts ? fullTime(tsToDate(message.edited.ts)) : null }, "(edited)");

function content(message, on) {
  const node = h("div", { class: "message-content" });
  const { blocks, attachments } = message;
  if (blocks?.length) node.append(...drawBlocks(blocks, on));
  else if (message.text) node.append(textOnly(message));
  node.append(...(attachments ?? []).map((one) => drawAttachment(one, on)));
  return node;
}

function textOnly(message) {
  const formatted = message.mrkdwn === false ? plain(message.text) : mrkdwn(message.text);
  return h("div", { class: "text block" }, formatted, message.edited ? [" ", edited(message)] : null);
}

function ephemeralNote(message, use) {
  const dismiss = h("button", { type: "button", class: "link-button", on: { click: () => use.dismiss(message) } }, "Dismiss");
  return h("p", { class: "ephemeral-note" }, icon("eye"), h("span", null, "Only visible to you"), h("span", null, "·"), dismiss);
}

function threadSummary(message, use) {
  if (use.inThread || !message.reply_count) return null;
  const count = message.reply_count;
  const faces = (message.reply_users ?? []).slice(0, 4).map((id) => avatar(user(id) ?? author({ user: id }), "tiny"));
  const last = message.latest_reply ? h("span", { class: "thread-last" }, `Last reply ${lastReply(message.latest_reply)}`) : null;
  return h(
    "button",
    { type: "button", class: "thread-summary", "data-testid": "thread-summary", on: { click: () => use.openThread(message.ts) } },
    h("span", { class: "faces" }, faces),
    h("span", { class: "thread-count" }, count === 1 ? "1 reply" : `${count} replies`),
    last,
  );
}

function tools(message, use) {
  if (message.is_ephemeral) return null;
  const reply = use.inThread ? null : iconButton("reply", "Reply in thread", () => use.openThread(message.thread_ts ?? message.ts));
  const remove = iconButton("trash", "Delete message", () => use.remove(message));
  return h("div", { class: "message-tools" }, reply, remove);
}

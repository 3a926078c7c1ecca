// A list of messages, oldest first: day dividers, grouping, and staying at the newest one.

import { post } from "./api.js";
import { dayOf, dayTitle, zoneName } from "./dates.js";
import { confirmDialog } from "./dialog.js";
import { me } from "./directory.js";
import { h, reconcile } from "./dom.js";
import { drawMessage } from "./message.js";

const GROUP_SECONDS = 300;
const NEAR_PX = 80;

const dismissed = new Set(); // ephemeral messages that were dismissed, until the page is loaded anew

export class Feed {
  /** use: {channelId, label, warn(text), inThread, openThread(ts), intro?: Node} */
  constructor(use) {
    this.use = use;
    this.messages = new Map();
    this.drawn = new Map(); // ts -> {state, node}
    this.dividers = new Map();
    this.list = h("div", { class: "feed-list", role: "log", "aria-label": use.label });
    this.newer = h("button", { type: "button", class: "newer", hidden: true, on: { click: () => this.toEnd() } }, "New messages ↓");
    this.scroller = h("div", { class: "feed-scroll", tabindex: "-1", on: { scroll: () => this.scrolled() } }, use.intro ?? null, this.list);
    this.node = h("div", { class: "feed" }, this.scroller, this.newer);
    this.following = true; // the newest message stays in sight when the room changes
    const grown = new ResizeObserver(() => this.following && this.toEnd());
    for (const node of [this.scroller, this.list]) grown.observe(node);
  }

  set(messages) {
    this.messages = new Map(messages.filter(({ ts }) => !dismissed.has(ts)).map((message) => [message.ts, message]));
    this.draw();
    this.toEnd();
  }

  put(message) {
    const isNew = !this.messages.has(message.ts);
    const stick = this.following;
    this.messages.set(message.ts, message);
    this.draw();
    const { node } = this.drawn.get(message.ts);
    if (isNew) node.classList.add("arrived");
    if (isNew && isAnswer(message)) this.reveal(node);
    else if (stick) this.toEnd();
    else if (isNew) this.newer.hidden = false;
  }

  remove(ts) {
    this.messages.delete(ts);
    this.draw();
  }

  atEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  toEnd() {
    this.following = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.newer.hidden = true;
  }

  /** The newest message from its beginning, where it is longer than the room. */
  reveal(node) {
    this.toEnd();
    if (node.offsetHeight <= this.scroller.clientHeight) return;
    this.following = false;
    node.scrollIntoView({ block: "start" });
  }

  scrolled() {
    this.following = this.atEnd();
    if (this.following) this.newer.hidden = true;
  }

  draw() {
    const ordered = [...this.messages.values()].sort((a, b) => (a.ts < b.ts ? -1 : 1));
    const wanted = [];
    let before = null;
    for (const message of ordered) {
      const newDay = !before || dayOf(before.ts) !== dayOf(message.ts);
      if (newDay && !this.use.inThread) wanted.push(this.divider(message.ts));
      wanted.push(this.message(message, !newDay && continues(before, message)));
      before = message;
      if (this.use.inThread && message.ts === ordered[0].ts) wanted.push(this.replyCount(ordered.length - 1));
    }
    reconcile(this.list, wanted);
  }

  message(message, grouped) {
    const state = JSON.stringify([message, grouped]);
    const old = this.drawn.get(message.ts);
    if (old?.state === state) return old.node;
    const hadFocus = old?.node.contains(document.activeElement);
    const node = drawMessage(message, { ...this.use, grouped, dismiss: (one) => this.dismiss(one), remove: (one) => this.ask(one) });
    this.drawn.set(message.ts, { state, node });
    if (hadFocus) queueMicrotask(() => node.focus({ preventScroll: true }));
    return node;
  }

  divider(ts) {
    const day = dayOf(ts);
    if (!this.dividers.has(day)) this.dividers.set(day, h("div", { class: "day" }, h("span", null, dayTitle(ts), h("small", null, ` · ${zoneName()} time`))));
    return this.dividers.get(day);
  }

  replyCount(count) {
    const text = count === 0 ? "No replies yet" : count === 1 ? "1 reply" : `${count} replies`;
    this.counter ??= h("div", { class: "reply-count" });
    this.counter.textContent = text;
    return this.counter;
  }

  /** Slack's server forgets an ephemeral message at once; this is the page's own memory. */
  dismiss(message) {
    dismissed.add(message.ts);
    this.remove(message.ts);
  }

  async ask(message) {
    const agreed = await confirmDialog({
      title: "Delete message",
      text: { type: "plain_text", text: "Are you sure you want to delete this message? This cannot be undone." },
      confirm: "Delete",
      deny: "Cancel",
      style: "danger",
    });
    if (!agreed) return;
    const answer = await post("delete", { user: me().id, channel: this.use.channelId, ts: message.ts });
    this.use.warn(answer.ok ? "" : answer.error);
  }
}

/** What one wrote oneself, or was told privately: it comes into view wherever one has scrolled to. */
const isAnswer = (message) => message.is_ephemeral || message.user === me().id;

/** Short messages of one person in a row stand under one name. */
function continues(before, message) {
  if (!before || before.is_ephemeral || message.is_ephemeral || message.blocks?.length || before.blocks?.length) return false;
  const same = (before.user ?? before.bot_id) === (message.user ?? message.bot_id);
  return same && !before.reply_count && Number(message.ts) - Number(before.ts) < GROUP_SECONDS;
}

// The middle column (a channel, a DM or App Home) and the thread beside it.

import { get } from "./api.js";
import { avatar, badges } from "./avatar.js";
import { Composer } from "./composer.js";
import * as directory from "./directory.js";
import { notice } from "./dialog.js";
import { h, icon, iconButton } from "./dom.js";
import { Feed } from "./feed.js";
import { Home } from "./home.js";
import { inline } from "./mrkdwn.js";

const me = () => directory.me();

/** use: {channelId, openThread(ts), openChannel(id), openDrawer()} */
export class Conversation {
  constructor(use) {
    this.use = use;
    const channel = directory.channel(use.channelId);
    const title = channel.is_im ? directory.channelTitle(channel) : `#${channel.name}`;
    this.title = title;
    this.feed = new Feed({ ...use, warn: (text) => this.warn(text), label: `Messages in ${title}`, intro: me().deleted ? deactivated() : intro(channel, title) });
    this.notices = h("div", { class: "column-notices" });
    this.composer = new Composer({ channelId: use.channelId, label: `Message ${title}` });
    const isBotDm = channel.id === directory.botChannel()?.id;
    const head = isBotDm ? appHead(use, "messages") : channelHead(channel, use);
    this.node = h("div", { class: "column-inner" }, head, this.notices, this.feed.node, this.foot(channel));
  }

  foot(channel) {
    if (me().deleted) return null;
    if (!directory.isMember(channel)) return footNote(`You are looking at #${channel.name} without being a member.`);
    return this.composer.node;
  }

  warn(text) {
    this.notices.replaceChildren(...(text ? [notice(text)] : []));
  }

  async load() {
    if (me().deleted) return;
    this.feed.node.setAttribute("aria-busy", "true");
    const answer = await get("messages", { channel: this.use.channelId, user: me().id });
    this.feed.node.removeAttribute("aria-busy");
    this.warn(answer.ok ? "" : answer.error);
    if (answer.ok) this.feed.set(answer.messages);
  }

  event(event) {
    if (event.channel !== this.use.channelId) return;
    if (event.type === "message_deleted") this.feed.remove(event.ts);
    else if (isTopLevel(event.message)) this.feed.put(event.message);
  }
}

const footNote = (text) => h("p", { class: "foot-note" }, icon("info"), text);

export const isTopLevel = ({ ts, thread_ts: thread, subtype }) => !thread || thread === ts || subtype === "thread_broadcast";

function channelHead(channel, use) {
  const lead = channel.is_im ? avatar(directory.partner(channel), "small") : icon(channel.is_private ? "lock" : "hash");
  const members = channel.is_im ? null : h("span", { class: "members", title: memberNames(channel) }, faces(channel), `${channel.members.length}`);
  return h(
    "header",
    { class: "column-head" },
    menuButton(use),
    h("h1", null, lead, h("span", null, directory.channelTitle(channel)), channel.is_im ? badges(directory.partner(channel)) : null),
    channel.topic ? h("p", { class: "topic" }, inline(channel.topic)) : h("span", { class: "topic" }),
    members,
    meButton(use),
  );
}

const memberNames = (channel) => channel.members.map((id) => directory.displayName(directory.user(id))).join(", ");
const faces = (channel) => h("span", { class: "faces" }, channel.members.map((id) => directory.user(id)).filter(Boolean).slice(0, 3).map((one) => avatar(one, "tiny")));

/** On a phone: who you are, at a glance. */
const meButton = (use) =>
  h("button", { type: "button", class: "me-button", "aria-label": `You are ${directory.displayName(me())}`, on: { click: use.openDrawer } }, avatar(me(), "small"));

export const menuButton = (use) => iconButton("menu", "Open sidebar", use.openDrawer, "drawer-open");

function intro(channel, title) {
  const words = channel.is_im
    ? `This is the very beginning of your direct messages with ${title}.`
    : `This is the very beginning of ${title}. ${channel.is_private ? "Only its members see it." : ""}`;
  return h("p", { class: "intro" }, words);
}

function deactivated() {
  const name = directory.displayName(me());
  const words = `Slack lets ${name} neither look nor write. Choose another person at “You are”.`;
  return h("div", { class: "home-empty" }, avatar(me(), "large"), h("h3", null, `${name}’s account is deactivated`), h("p", null, words));
}

/** App Home and the DM with the bot are two tabs of one thing, as in Slack. */
function appHead(use, current) {
  const bot = directory.user(directory.app().bot_user_id) ?? { is_bot: true };
  const im = directory.botChannel();
  const tab = (key, label, target) =>
    h("button", { type: "button", role: "tab", "aria-selected": String(key === current), class: "tab", on: { click: () => use.openChannel(target) } }, label);
  return h(
    "header",
    { class: "column-head column-head-app" },
    menuButton(use),
    h("h1", null, avatar(bot, "small"), h("span", null, directory.app().name), badges({ is_bot: true })),
    h("div", { class: "tabs", role: "tablist" }, tab("home", "Home", "home"), im ? tab("messages", "Messages", im.id) : null),
    h("span", { class: "topic" }),
    meButton(use),
  );
}

export class HomeColumn {
  constructor(use) {
    this.home = new Home();
    this.title = directory.app().name;
    this.node = h("div", { class: "column-inner" }, appHead(use, "home"), this.home.node);
  }

  load() {
    return this.home.load();
  }

  event(event) {
    if (event.type === "home") this.home.show(event.view);
  }
}

/** use: {channelId, ts, close()} */
export class Thread {
  constructor(use) {
    this.use = use;
    const channel = directory.channel(use.channelId);
    const where = channel.is_im ? directory.channelTitle(channel) : `#${channel.name}`;
    this.feed = new Feed({ channelId: use.channelId, label: "Replies", warn: (text) => this.warn(text), inThread: true, openThread: () => {} });
    this.notices = h("div", { class: "column-notices" });
    const composer = new Composer({ channelId: use.channelId, threadTs: use.ts, label: "Reply…" });
    const writes = !me().deleted && directory.isMember(channel);
    this.node = h(
      "div",
      { class: "column-inner" },
      h(
        "header",
        { class: "column-head" },
        iconButton("back", "Back to the channel", use.close, "thread-back"),
        h("h1", null, h("span", null, "Thread"), h("small", null, where)),
        h("span", { class: "topic" }),
        iconButton("close", "Close thread", use.close, "thread-close"),
      ),
      this.notices,
      this.feed.node,
      writes ? composer.node : null,
    );
  }

  warn(text) {
    this.notices.replaceChildren(...(text ? [notice(text)] : []));
  }

  async load() {
    const { channelId: channel, ts } = this.use;
    const answer = await get("replies", { channel, ts, user: me().id });
    this.warn(answer.ok ? "" : answer.error);
    if (answer.ok) this.feed.set(answer.messages);
  }

  event(event) {
    if (event.channel !== this.use.channelId) return;
    if (event.type === "message_deleted") this.feed.remove(event.ts);
    else if (event.message.ts === this.use.ts || event.message.thread_ts === this.use.ts) this.feed.put(event.message);
  }
}

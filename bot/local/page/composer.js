// Where a person writes: a message, or a slash command with its suggestions.

import { post } from "./api.js";
import { commands, displayName, me, people } from "./directory.js";
import { notice } from "./dialog.js";
import { h, iconButton, newId } from "./dom.js";

export class Composer {
  /** use: {channelId, threadTs?, label} */
  constructor(use) {
    this.use = use;
    this.picked = 0;
    this.options = [];
    const listId = newId("suggestions");
    this.popup = h("div", { class: "suggestions", role: "listbox", id: listId, "aria-label": "Suggestions", hidden: true });
    this.notices = h("div", { class: "composer-notices" });
    this.box = h("textarea", {
      class: "composer-box",
      rows: "1",
      placeholder: use.label,
      "aria-label": use.label,
      "aria-controls": listId,
      "aria-autocomplete": "list",
      on: { input: () => this.changed(), keydown: (event) => this.key(event), blur: () => this.close() },
    });
    this.send = iconButton("send", "Send", () => this.submit(), "composer-send");
    this.send.disabled = true;
    const frame = h("div", { class: "composer-frame" }, this.box, this.send);
    this.node = h("div", { class: "composer", "data-testid": use.threadTs ? "thread-composer" : "composer" }, this.notices, this.popup, frame);
  }

  changed() {
    this.send.disabled = !this.box.value.trim();
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight, 180)}px`;
    this.suggest();
  }

  suggest() {
    const before = this.box.value.slice(0, this.box.selectionStart);
    this.options = this.use.threadTs || !before.startsWith("/") ? mentionOptions(before) : commandOptions(before);
    this.picked = 0;
    this.drawPopup();
  }

  drawPopup() {
    this.popup.hidden = this.options.length === 0;
    this.popup.replaceChildren(...this.options.map((option, at) => this.row(option, at)));
    const active = this.popup.children[this.picked];
    if (active && this.options[this.picked].insert) this.box.setAttribute("aria-activedescendant", active.id);
    else this.box.removeAttribute("aria-activedescendant");
  }

  row(option, at) {
    const chosen = at === this.picked && Boolean(option.insert);
    const choose = (event) => {
      event.preventDefault();
      if (option.insert) this.choose(option);
    };
    return h(
      "div",
      { class: "suggestion", role: "option", id: newId("suggestion"), "aria-selected": String(chosen), on: { pointerdown: choose } },
      h("span", { class: "suggestion-main" }, h("b", null, option.title), option.usage ? h("span", { class: "usage" }, ` ${option.usage}`) : null),
      h("span", { class: "suggestion-note" }, option.note),
    );
  }

  choose(option) {
    const end = this.box.selectionStart;
    this.box.setRangeText(option.insert, end - option.typed, end, "end");
    this.changed();
    this.box.focus();
  }

  close() {
    this.options = [];
    this.drawPopup();
  }

  key(event) {
    const picking = this.options.some((option) => option.insert);
    if (picking && this.pickKey(event)) return;
    if (event.key === "Escape" && this.options.length) {
      event.stopPropagation();
      this.close();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.submit();
    }
  }

  /** Keys that move in the suggestions; true when one was. */
  pickKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const option = this.options[this.picked];
    if (step) {
      this.picked = (this.picked + step + this.options.length) % this.options.length;
      this.drawPopup();
    } else if (event.key === "Tab" || (event.key === "Enter" && option.typed < option.insert.trimEnd().length)) {
      this.choose(option);
    } else return false;
    event.preventDefault();
    return true;
  }

  async submit() {
    const text = this.box.value.trim();
    if (!text || this.node.getAttribute("aria-busy") === "true") return;
    this.notices.replaceChildren();
    this.close();
    if (text.startsWith("/") && this.use.threadTs) {
      this.complain(`${text.split(/\s/)[0]} is not supported in threads. Sorry!`);
      return;
    }
    this.node.setAttribute("aria-busy", "true");
    const { channelId: channel, threadTs } = this.use;
    const slash = text.startsWith("/");
    const body = { user: me().id, channel, text, ...(threadTs && { thread_ts: threadTs }) };
    const answer = await post(slash ? "command" : "message", body);
    this.node.removeAttribute("aria-busy");
    if (!answer.ok) this.complain(answer.error);
    else if (this.box.value.trim() === text) this.clear();
  }

  clear() {
    this.box.value = "";
    this.changed();
  }

  complain(text) {
    this.notices.replaceChildren(notice(text));
  }
}

function commandOptions(before) {
  const [word, ...rest] = before.split(" ");
  const known = commands().filter((one) => (rest.length ? one.command === word : one.command.startsWith(word)));
  return known.map((one) => ({
    title: one.command,
    usage: one.usage_hint,
    note: one.description,
    insert: rest.length ? "" : `${one.command} `,
    typed: before.length,
  }));
}

function mentionOptions(before) {
  const found = /(?:^|\s)@([\w.-]*)$/.exec(before);
  if (!found) return [];
  const typed = found[1].toLowerCase();
  const fits = (one) => !one.deleted && [one.name, displayName(one)].some((name) => name.toLowerCase().startsWith(typed));
  return people()
    .filter(fits)
    .slice(0, 6)
    .map((one) => ({ title: displayName(one), usage: `@${one.name}`, note: one.title ?? "", insert: `@${one.name} `, typed: typed.length + 1 }));
}

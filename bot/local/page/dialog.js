// Dialogs on the native <dialog>: the browser keeps focus inside and the rest inert.

import { h, icon, iconButton, newId } from "./dom.js";
import { plain, textObject } from "./mrkdwn.js";

/** An open dialog. onCancel is asked when a person presses Escape or the cross. */
export function openDialog({ title, body, footer, className = "", onCancel, lead = null }) {
  const id = newId("dialog");
  const node = h(
    "dialog",
    { class: `dialog ${className}`, "aria-labelledby": id, on: { cancel: (event) => cancel(event, onCancel) } },
    h(
      "header",
      { class: "dialog-head" },
      lead,
      h("h2", { id, class: "dialog-title" }, title),
      iconButton("close", "Close", () => onCancel()),
    ),
    h("div", { class: "dialog-body" }, body),
    footer ? h("footer", { class: "dialog-foot" }, footer) : null,
  );
  document.body.append(node);
  node.showModal();
  return node;
}

function cancel(event, onCancel) {
  event.preventDefault();
  onCancel();
}

export function closeDialog(node) {
  node.close();
  node.remove();
}

/** Block Kit's confirmation object. Resolves to whether the person agreed. */
export function confirmDialog(confirm) {
  return new Promise((resolve) => {
    const settle = (agreed) => {
      closeDialog(node);
      resolve(agreed);
    };
    const style = confirm.style === "danger" ? "danger" : "primary";
    const yes = button(plain(confirm.confirm) || "Yes", style, () => settle(true));
    const node = openDialog({
      title: plain(confirm.title),
      body: h("div", { class: "dialog-text" }, textObject(confirm.text)),
      className: "dialog-confirm",
      footer: [button(plain(confirm.deny) || "No", "default", () => settle(false)), yes],
      onCancel: () => settle(false),
    });
    yes.focus();
  });
}

const button = (label, style, onClick) => h("button", { type: "button", class: `button button-${style}`, on: { click: onClick } }, label);

/** A short note that disappears when dismissed. */
export function notice(text, level = "warn") {
  const node = h("div", { class: `notice notice-${level}`, role: "alert" }, icon(level), h("span", null, text));
  node.append(iconButton("close", "Dismiss", () => node.remove(), "small"));
  return node;
}

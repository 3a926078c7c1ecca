// Elements that act at once: buttons, overflow menus; and images.

import { h, icon } from "./dom.js";
import { safeAddress } from "./inline.js";
import { plain } from "./mrkdwn.js";
import { openMenu } from "./popover.js";

/** use(value, node) sends the action. Undefined when the element is no such element. */
export function actionElement(element, block, use) {
  if (element.type === "button") return element.url ? linkButton(element, use) : button(element, use);
  if (element.type === "overflow") return overflow(element, use);
  return undefined;
}

const style = (element) => `button button-${element.style === "primary" || element.style === "danger" ? element.style : "default"}`;

function button(element, use) {
  const node = h(
    "button",
    {
      type: "button",
      class: style(element),
      "data-action-id": element.action_id,
      "aria-label": element.accessibility_label,
      on: { click: () => use(undefined, node) },
    },
    h("span", { class: "button-text" }, plain(element.text)),
  );
  return node;
}

/** A button with an address opens it and tells the app as well. */
function linkButton(element, use) {
  const node = h(
    "a",
    {
      class: style(element),
      href: safeAddress(element.url),
      target: "_blank",
      rel: "noopener noreferrer",
      title: element.url,
      "data-action-id": element.action_id,
      on: { click: (event) => openLink(event, element, node, use) },
    },
    h("span", { class: "button-text" }, plain(element.text)),
  );
  return node;
}

async function openLink(event, element, node, use) {
  if (element.confirm) event.preventDefault();
  const agreed = await use(undefined, node);
  if (element.confirm && agreed) window.open(node.href, "_blank", "noopener");
}

function overflow(element, use) {
  const choose = (option) => ({
    content: [h("span", null, plain(option.text)), option.description ? h("small", null, plain(option.description)) : null],
    href: option.url ? safeAddress(option.url) : undefined,
    pick: () => use(option.value, node),
  });
  const node = h(
    "button",
    {
      type: "button",
      class: "button button-default button-overflow",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      "aria-label": element.accessibility_label ?? "More actions",
      "data-action-id": element.action_id,
      on: { click: () => openMenu(node, element.options.map(choose), { label: "More actions" }) },
    },
    icon("dots"),
  );
  return node;
}

const LOOPBACK = /^http:\/\/(127\.0\.0\.1|localhost)(:\d+)?\//;

/** Only images of this machine are loaded: nothing leaves it. Others are named. */
export function imageElement(element, size = "medium") {
  const address = element.image_url ?? element.slack_file?.url ?? "";
  const label = element.alt_text ?? "";
  if (LOOPBACK.test(address)) return h("img", { class: `picture picture-${size}`, src: address, alt: label, loading: "lazy" });
  const note = size === "large" ? h("small", null, `Not loaded: ${hostOf(address)} is not on this machine`) : null;
  const node = h("span", { class: `picture picture-${size} picture-away`, role: "img", "aria-label": label, title: address });
  node.append(icon("image"));
  if (size === "large") node.append(h("span", null, h("b", null, label || "Image"), note));
  return node;
}

function hostOf(address) {
  try {
    return new URL(address).host;
  } catch {
    return "it";
  }
}

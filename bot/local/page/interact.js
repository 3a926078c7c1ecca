// What a person does to a block element: keep what was entered, ask for confirmation, tell the server.

import { post } from "./api.js";
import { confirmDialog } from "./dialog.js";
import { me } from "./directory.js";

const entered = new Map(); // what was typed and not sent, by container

function valuesOf(key) {
  if (!entered.has(key)) entered.set(key, {});
  return entered.get(key);
}

export const forget = (key) => void entered.delete(key);

const elementsOf = (block) => [block.element, block.accessory, ...(block.elements ?? [])].filter(Boolean);

/** As in Slack, what was entered in an element counts only while the element is there. */
export function keepOnly(values, blocks) {
  const there = new Set(blocks.flatMap((block) => elementsOf(block).map((one) => `${block.block_id} ${one.action_id}`)));
  for (const [blockId, actions] of Object.entries(values)) {
    const kept = Object.entries(actions).filter(([actionId]) => there.has(`${blockId} ${actionId}`));
    values[blockId] = Object.fromEntries(kept);
    if (!kept.length) delete values[blockId];
  }
}

/** The surface that blocks are drawn on. warn(text) shows an error beside it, or clears it. */
export function surface(container, warn) {
  const key = container.view_id ?? `${container.channel_id}/${container.message_ts}`;
  return { key, container, warn, values: valuesOf(key), errors: {}, isView: container.type === "view" };
}

export function messageSurface(channelId, message, warn) {
  const container = { type: "message", channel_id: channelId, message_ts: message.ts, is_ephemeral: Boolean(message.is_ephemeral) };
  const on = surface(container, warn);
  keepOnly(on.values, message.blocks ?? []);
  return on;
}

export const viewSurface = (viewId, warn) => surface({ type: "view", view_id: viewId }, warn);

/** What was entered in an element, or its initial value. */
export const current = (on, blockId, actionId, initial) => on.values[blockId]?.[actionId] ?? initial;

export function enter(on, blockId, actionId, value) {
  on.values[blockId] = { ...on.values[blockId], [actionId]: value };
}

/** Sends block_actions; `node` shows that it works. Resolves to false when the person took it back. */
export async function act(on, blockId, element, value, node) {
  if (node.getAttribute("aria-busy") === "true") return false;
  if (element.confirm && !(await confirmDialog(element.confirm))) return false;
  on.warn("");
  node.setAttribute("aria-busy", "true");
  const answer = await post("action", {
    user: me().id,
    container: on.container,
    block_id: blockId,
    action_id: element.action_id,
    value,
    state: on.values,
  });
  node.removeAttribute("aria-busy");
  if (!answer.ok) on.warn(answer.error);
  return true;
}

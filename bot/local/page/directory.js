// Who and what is there: people, channels, groups and commands of the workspace, as /client/boot told.

const state = { boot: null, me: "", users: new Map(), channels: new Map(), groups: new Map() };

export function fill(boot) {
  state.boot = boot;
  state.users = new Map(boot.users.map((user) => [user.id, user]));
  state.channels = new Map(boot.channels.map((channel) => [channel.id, channel]));
  state.groups = new Map((boot.usergroups ?? []).map((group) => [group.id, group]));
}

export const setMe = (id) => void (state.me = id);
export const me = () => state.users.get(state.me);
export const team = () => state.boot.team;
export const app = () => state.boot.app;
export const commands = () => state.boot.commands ?? [];
export const user = (id) => state.users.get(id);
export const channel = (id) => state.channels.get(id);
export const group = (id) => state.groups.get(id);
export const putChannel = (value) => void state.channels.set(value.id, value);

export const people = () => [...state.users.values()].filter((one) => !one.is_bot);
export const displayName = (one) => one?.real_name || one?.name || "Unknown";
export const isGuest = (one) => Boolean(one?.is_restricted || one?.is_ultra_restricted);
export const isBot = (one) => Boolean(one?.is_bot);

const includesMe = (one) => one.user === state.me || (one.members ?? []).includes(state.me);

/** Channels this person sees: their own, and public ones unless they are a guest. */
export function visibleChannels() {
  const guest = isGuest(me());
  return [...state.channels.values()]
    .filter((one) => !one.is_im && !one.is_archived && (includesMe(one) || (!one.is_private && !guest)))
    .sort((a, b) => a.name.localeCompare(b.name));
}

export const isMember = (one) => includesMe(one);
export const directMessages = () => [...state.channels.values()].filter((one) => one.is_im && includesMe(one));

/** Whom this person talks to in a DM. */
export function partner(im) {
  const others = (im.members ?? []).filter((id) => id !== state.me);
  return state.users.get(others[0]) ?? state.users.get(im.user !== state.me ? im.user : app().bot_user_id);
}

export const botChannel = () => directMessages().find((im) => partner(im)?.id === app().bot_user_id);
export const channelTitle = (one) => (one.is_im ? displayName(partner(one)) : one.name);

const SLACKBOT = { id: "USLACKBOT", name: "slackbot", real_name: "Slackbot", color: "#64748b", is_bot: true };

/** The author of a message; a bot that the workspace does not list is still a bot. */
export function author(message) {
  if (message.user === SLACKBOT.id) return SLACKBOT;
  const known = state.users.get(message.user) ?? (message.bot_id ? state.users.get(app().bot_user_id) : undefined);
  if (known) return known;
  const name = message.bot_id ? app().name : message.user;
  return { id: message.user ?? message.bot_id, name, real_name: name, is_bot: Boolean(message.bot_id), color: "#155e59" };
}

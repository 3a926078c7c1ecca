// Where the person is: who they are, which channel and thread. Kept in the address, so two tabs can be two people.

const KEYS = ["as", "channel", "thread"];
const PERMALINK = /^\/archives\/(\w+)\/p(\d+)(\d{6})$/;

export function read() {
  const search = new URLSearchParams(location.search);
  return Object.fromEntries(KEYS.map((key) => [key, search.get(key) ?? ""]));
}

export function write(place, { replace = false } = {}) {
  const url = addressOf(place);
  if (replace) history.replaceState(null, "", url);
  else if (url !== location.pathname + location.search) history.pushState(null, "", url);
}

export function addressOf(place) {
  const search = new URLSearchParams();
  for (const key of KEYS) if (place[key]) search.set(key, place[key]);
  return `${location.pathname}?${search}`;
}

/** The channel and thread that a permalink of this workspace names, else undefined. */
export function ofPermalink(address) {
  const url = new URL(address);
  const [, channel, seconds, fraction] = (url.origin === location.origin && PERMALINK.exec(url.pathname)) || [];
  return channel && { channel, thread: url.searchParams.get("thread_ts") ?? `${seconds}.${fraction}` };
}

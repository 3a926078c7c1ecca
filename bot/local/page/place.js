// Where the person is: who they are, which channel and thread. Kept in the address, so two tabs can be two people.

const KEYS = ["as", "channel", "thread"];

export function read() {
  const search = new URLSearchParams(location.search);
  return Object.fromEntries(KEYS.map((key) => [key, search.get(key) ?? ""]));
}

export function write(place, { replace = false } = {}) {
  const search = new URLSearchParams();
  for (const key of KEYS) if (place[key]) search.set(key, place[key]);
  const url = `${location.pathname}?${search}`;
  if (replace) history.replaceState(null, "", url);
  else if (url !== location.pathname + location.search) history.pushState(null, "", url);
}

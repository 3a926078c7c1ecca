// Asks the server on behalf of the person at the page. Every answer is {ok, error?, ...}; nothing throws.

const UNREACHABLE = "The local workspace does not answer. Is it still running?";

export async function get(path, query = {}) {
  const search = new URLSearchParams(query).toString();
  return ask(`/client/${path}${search ? `?${search}` : ""}`);
}

export async function post(path, body) {
  return ask(`/client/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function ask(url, options) {
  try {
    const response = await fetch(url, options);
    return await response.json();
  } catch {
    return { ok: false, error: UNREACHABLE };
  }
}

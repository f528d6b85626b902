// The server, as the page asks it.

export class ApiError extends Error {
  constructor(status, message, begun = false) {
    super(message);
    this.status = status;  // 0: no answer, or one that broke off.
    this.begun = begun;
  }
}

async function request(method, path, body, signal) {
  const headers = {};
  const token = sessionStorage.getItem('token');
  if (token) headers.Authorization = `Bearer ${token}`;
  if (method === 'POST') headers['Content-Type'] = 'application/json';
  let answer;
  try {
    answer = await fetch(path, {
      method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body)});
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, String(error));
  }
  if (!answer.ok) {
    const found = await answer.json().catch(() => null);
    throw new ApiError(answer.status, found?.error?.message || answer.statusText);
  }
  return answer;
}

export async function get(path) {
  return (await request('GET', path)).json();
}

export async function post(path, body) {
  return (await request('POST', path, body)).json();
}

export async function remove(path) {
  await request('DELETE', path);
}

export async function download(path, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await (await request('GET', path)).blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// Calls onEvent with the parsed data of each event, until [DONE].
export async function stream(path, body, signal, onEvent) {
  const answer = await request('POST', path, body, signal);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '', done = false;
  while (!done) {
    let piece;
    try {
      piece = await reader.read();
    } catch (error) {
      if (error.name === 'AbortError') throw error;
      throw new ApiError(0, String(error), true);
    }
    if (piece.done) break;
    const events = (rest + piece.value).split('\n\n');
    rest = events.pop();
    for (const event of events) {
      const data = event.replace(/^data: /, '');
      if (data === '[DONE]') { done = true; continue; }
      const value = JSON.parse(data);
      if (value.error) throw new ApiError(500, value.error.message);
      onEvent(value);
    }
  }
  if (!done) throw new ApiError(0, 'the stream broke off', true);
}

export const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

'use strict';
// The page reads the stream with fetch(), not with an EventSource: an EventSource delivers only event
// types that the script names beforehand, and hides comments and error responses. Parsing (HTML 9.2.6)
// and reconnection with the last event ID are therefore done here.
// Text from the stream enters the page through textContent only, never as markup.
const max_rows = 2000, max_shown = 4000, max_preview = 400, max_items = 200, max_depth = 100;
const $ = (id) => document.getElementById(id);
const list = $('list');
const make = (tag, name, text) => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
};
const number = (n) => n.toLocaleString('en');

// ---- bytes to events -----------------------------------------------------------------------------
// CR, LF and CRLF each end a line; two reads may cut a CRLF.
function parser(on) {
  let rest = '', after_cr = false, data = [], type = '', id = null;
  const process_line = (line) => {
    if (line === '') {
      if (id !== null) on.id(id);
      if (data.length) on.event({type: type || 'message', data: data.join('\n')});
      data = []; type = ''; id = null;
      return;
    }
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (colon === 0) return on.comment(value);
    if (value[0] === ' ') value = value.slice(1);
    if (name === 'data') data.push(value);
    else if (name === 'event') type = value;
    else if (name === 'id' && !value.includes('\0')) id = value;
    else if (name === 'retry' && /^[0-9]+$/.test(value)) on.retry(Number(value));
  };
  return (text) => {
    if (after_cr && text) {
      if (text[0] === '\n') text = text.slice(1);
      after_cr = false;
    }
    const ends = /\r\n|\r|\n/g;
    let at = 0;
    for (let end; (end = ends.exec(text)); at = ends.lastIndex) {
      process_line(rest + text.slice(at, end.index));
      rest = '';
      after_cr = end[0] === '\r' && ends.lastIndex === text.length;
    }
    rest += text.slice(at);
  };
}

// ---- JSON with its numbers as they were written ---------------------------------------------------
// JSON.parse would round numbers (12345678901234567890, 1.50), so each token stays text.
const token = /[ \t\r\n]*(?:("[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*")|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|(true|false|null)|([{}[\],:]))/y;
const kinds = ['', 'string', 'number', 'word', 'mark'];

function json(text) {
  if (!/^[ \t\r\n]*[{[]/.test(text)) return null;
  token.lastIndex = 0;
  let now = null;
  const next = () => {
    const found = token.exec(text);
    if (!found) throw 0;
    const kind = kinds.findIndex((_, i) => i && found[i] !== undefined);
    return (now = {kind: kinds[kind], text: found[kind]});
  };
  const value = (depth) => {
    if (now.kind !== 'mark') return now;
    const close = {'{': '}', '[': ']'}[now.text];
    if (!close || depth > max_depth) throw 0;
    const node = {open: now.text, close, items: []};
    if (next().text === close && now.kind === 'mark') return node;
    for (;;) {
      const item = {};
      if (close === '}') {
        if (now.kind !== 'string') throw 0;
        item.key = now.text;
        if (next().text !== ':') throw 0;
        next();
      }
      item.value = value(depth + 1);
      node.items.push(item);
      next();
      if (now.kind !== 'mark') throw 0;
      if (now.text === close) return node;
      if (now.text !== ',') throw 0;
      next();
    }
  };
  try {
    next();
    const node = value(0);
    return /^[ \t\r\n]*$/.test(text.slice(token.lastIndex)) ? node : null;
  } catch {
    return null; // not JSON, or nested too deeply: shown as text
  }
}

function preview(text, into) {
  token.lastIndex = 0;
  for (let found, size = 0; (found = token.exec(text)); ) {
    const kind = kinds[kinds.findIndex((_, i) => i && found[i] !== undefined)];
    let piece = found[0].trim();
    size += piece.length;
    if (size > max_preview) {
      into.append(make('span', kind, piece.slice(0, Math.max(0, max_preview - size))), '…');
      return;
    }
    if (piece === ':' || piece === ',') piece += ' ';
    const is_key = kind === 'string' && /^[ \t\r\n]*:/.test(text.slice(token.lastIndex, token.lastIndex + 8));
    into.append(make('span', is_key ? 'key' : kind, piece));
  }
}

function tree(node, into) {
  const show = (from) => {
    for (const item of node.items.slice(from, from + max_items)) {
      const head = item.key === undefined ? [] : [make('span', 'key', item.key), ': '];
      if (!item.value.items) {
        const leaf = make('div', 'leaf');
        leaf.append(...head, make('span', item.value.kind, item.value.text));
        into.append(leaf);
        continue;
      }
      const details = make('details'), summary = make('summary'), inside = make('div');
      const {open, close, items} = item.value;
      summary.append(...head, make('span', 'count', `${open}${items.length || ''}${close}`));
      details.append(summary, inside);
      lazily(details, () => tree(item.value, inside));
      into.append(details);
    }
    more(node.items.length - from - max_items, 'items', into, () => show(from + max_items));
  };
  show(0);
}

const lazily = (details, fill) => details.addEventListener('toggle', fill, {once: true});

function more(left, what, into, show) {
  if (left <= 0) return;
  const button = make('button', 'more', `${number(left)} more ${what}`);
  button.onclick = () => { button.remove(); show(); };
  into.append(button);
}

// ---- text for terminals ---------------------------------------------------------------------------
// Terminal control sequences (ECMA-48): colours and bold are shown, all others are removed.
const control = /\x1b(?:\[([0-9;]*)m|\[[0-?]*[ -/]*[@-~]?|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)/g;
const plain = (text) => text.replace(control, '');

function coloured(text, into) {
  let at = 0, colour = '', bold = '';
  const put = (end) => {
    if (end > at) into.append(colour || bold ? make('span', `${colour} ${bold}`, text.slice(at, end)) : text.slice(at, end));
  };
  for (const found of text.matchAll(control)) {
    put(found.index);
    at = found.index + found[0].length;
    if (found[1] === undefined) continue;
    for (const code of found[1].split(';').map(Number)) {
      if (code === 38 || code === 48) break; // an extended colour: its numbers follow
      if (code === 0) colour = bold = '';
      else if (code === 1) bold = 'bold';
      else if (code === 22) bold = '';
      else if (code === 39) colour = '';
      else if (code >= 30 && code <= 37 || code >= 90 && code <= 97) colour = `c${code % 10}`;
    }
  }
  put(text.length);
}

// ---- rows ----------------------------------------------------------------------------------------
let pending = [], drawing = false, paused = false, follow = true, needle = '';
let received = 0, dropped = 0, shown = 0, last_time = 0;

const two = (n, size = 2) => String(n).padStart(size, '0');
const clock = (t) => `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}.${two(t.getMilliseconds(), 3)}`;
const gap = (ms) => ms < 1000 ? `+${Math.round(ms)}ms` : ms < 60000 ? `+${(ms / 1000).toFixed(1)}s`
  : `+${Math.floor(ms / 60000)}m${two(Math.floor(ms / 1000) % 60)}`;
const hue = (text) => [...text].reduce((h, c) => (h * 31 + c.codePointAt(0)) % 360, 7);

function data_cell(data) {
  const cell = make('div', 'data'), node = json(data);
  const show = (text) => {
    cell.replaceChildren();
    coloured(text, cell);
  };
  if (node && node.items.length) {
    const details = make('details'), summary = make('summary'), inside = make('div');
    preview(data, summary);
    details.append(summary, inside);
    lazily(details, () => tree(node, inside));
    cell.append(details);
  } else {
    show(data.slice(0, max_shown));
    more(data.length - max_shown, 'characters', cell, () => show(data));
  }
  return cell;
}

function row(e) {
  if (e.note !== undefined) {
    const note = make('div', e.bad ? 'note bad' : 'note', e.note);
    note.text = e.note.toLowerCase();
    return note;
  }
  const made = make('div', 'row');
  const type = make('span', e.type === 'message' ? 'type' : 'type named', e.type);
  if (e.type !== 'message') type.style.setProperty('--hue', hue(e.type));
  type.title = e.type;
  const id = make('span', 'id', e.id);
  id.title = e.id;
  made.append(make('span', 'time', clock(e.time)), make('span', 'gap', e.gap), type,
              data_cell(e.data), id);
  made.text = `${e.type}\n${e.id}\n${plain(e.data)}`.toLowerCase();
  return made;
}

function draw() {
  drawing = false;
  if (!paused && pending.length) {
    const rows = document.createDocumentFragment();
    for (const e of pending.splice(0)) {
      const made = row(e);
      apply_filter(made);
      rows.append(made);
    }
    list.append(rows);
    while (list.childElementCount > max_rows) {
      const first = list.firstElementChild;
      if (is_event(first)) { ++dropped; if (!first.hidden) --shown; }
      first.remove();
    }
    if (follow) scrollTo(0, document.documentElement.scrollHeight);
  }
  const held = pending.length;
  $('counts').textContent = `${number(received)} event${received === 1 ? '' : 's'}`
    + (needle ? `, ${number(shown)} match` : '') + (paused && held ? `, ${number(held)} held back` : '');
  $('dropped').hidden = !dropped;
  $('dropped').textContent = `${number(dropped)} older event${dropped === 1 ? ' is' : 's are'} not shown: the list keeps the newest ${number(max_rows)}`;
  $('empty').hidden = list.childElementCount > 0;
}

const is_event = (made) => made.className === 'row';

function apply_filter(made) {
  made.hidden = needle !== '' && !made.text.includes(needle);
  if (!made.hidden && is_event(made)) ++shown;
}

function redraw() {
  if (drawing) return;
  drawing = true;
  (document.hidden ? setTimeout : requestAnimationFrame)(draw);
}

function add(e) {
  pending.push(e);
  if (pending.length > max_rows) { // bounds a hidden or paused page, too
    if (pending.shift().note === undefined) ++dropped;
  }
  redraw();
}

// ---- the connection ------------------------------------------------------------------------------
let last_id = '', retry = 2000, failures = 0, reconnect_timer = 0;

function state(name, text) {
  $('state').className = `state ${name}`;
  $('state').lastElementChild.textContent = text;
}

const new_parser = () => parser({
  id: (value) => { last_id = value; },
  retry: (ms) => { retry = Math.min(Math.max(ms, 100), 3600000); },
  comment: (text) => { if (text.trim()) add({note: ':' + text}); }, // an empty comment is a heartbeat
  event: (e) => {
    const now = performance.now();
    add({...e, id: last_id, time: new Date(), gap: received++ ? gap(now - last_time) : ''});
    last_time = now;
  },
});

async function read() {
  state('', 'connecting');
  const url = new URL(location.href);
  if (last_id) url.searchParams.set('last_event_id', last_id);
  const response = await fetch(url, {headers: {Accept: 'text/event-stream'}, cache: 'no-store'});
  if (response.status === 204) return 'ended';
  const type = response.headers.get('Content-Type') || 'no type';
  if (!response.ok || !type.startsWith('text/event-stream')) {
    const why = `${response.status} ${response.statusText}, ${type}`;
    add({note: `The server responded with ${why}: ${(await response.text()).slice(0, 300).trim()}`, bad: true});
    return [408, 429, 500, 502, 503, 504].includes(response.status) ? 'failed' : 'refused';
  }
  state('live', 'live');
  failures = 0;
  if (response.headers.get('Sse-Gap')) add({note: 'Events before the next one are missing: the server no longer holds them', bad: true});
  const bytes = response.body.getReader(), decoder = new TextDecoder(), parse = new_parser();
  for (;;) {
    const {done, value} = await bytes.read();
    if (done) return 'closed';
    parse(decoder.decode(value, {stream: true}));
  }
}

async function run() {
  clearTimeout(reconnect_timer);
  let end = 'failed';
  try { end = await read(); } catch { /* the connection failed or broke: reconnect */ }
  if (end === 'ended') return state('over', 'the stream has ended');
  if (end === 'refused') return state('bad', 'refused');
  const wait = end === 'closed' ? retry : Math.min(Math.max(retry, 500) * 2 ** failures++, 30000);
  state('', `reconnecting in ${(wait / 1000).toFixed(wait < 10000 ? 1 : 0)} s`);
  reconnect_timer = setTimeout(run, wait);
}

// ---- buttons, keys and scrolling -------------------------------------------------------------------
function press(button, on) { button.setAttribute('aria-pressed', on); }
const set_follow = (on) => {
  press($('follow'), follow = on);
  if (on) scrollTo(0, document.documentElement.scrollHeight);
};
$('pause').onclick = () => {
  press($('pause'), paused = !paused);
  $('pause').textContent = paused ? 'Resume' : 'Pause';
  draw();
};
$('follow').onclick = () => set_follow(!follow);
$('clear').onclick = () => {
  list.replaceChildren();
  pending = [];
  dropped = shown = 0;
  draw();
};
$('filter').oninput = () => {
  needle = $('filter').value.toLowerCase();
  shown = 0;
  for (const made of list.children) apply_filter(made);
  draw();
};
const stop_following_unless_at_end = () => {
  const root = document.documentElement;
  if (follow && scrollY + innerHeight < root.scrollHeight - 4) set_follow(false);
};
addEventListener('wheel', (e) => { if (e.deltaY < 0) setTimeout(stop_following_unless_at_end, 60); }, {passive: true});
addEventListener('touchmove', stop_following_unless_at_end, {passive: true});
addEventListener('keydown', (e) => {
  if (e.target === $('filter')) {
    if (e.key === 'Escape') $('filter').blur();
    return;
  }
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.key === 'PageUp' || e.key === 'Home' || e.key === 'ArrowUp') setTimeout(stop_following_unless_at_end, 60);
  const act = {p: 'pause', c: 'clear', f: 'follow'}[e.key];
  if (act) $(act).click();
  else if (e.key === '/') { e.preventDefault(); $('filter').focus(); }
});

$('where').textContent = location.host + location.pathname;
document.title = `${location.pathname} on ${location.host}`;
draw();
run();

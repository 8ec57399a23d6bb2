/** The demo's start page. */
export const page: string = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Scherzo</title>
<link rel="icon" href="data:,">
<style>
:root { --ink: #1d1b22; --soft: #66616f; --line: #dcd8e2; --paper: #fbfaf8; --mark: #8a3b12; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ece8f1; --soft: #a49dae; --line: #3b3644; --paper: #17151b; --mark: #f0a070; }
}
body { margin: 0 auto; max-width: 44rem; padding: 3rem 1.25rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, sans-serif; }
h1 { margin: 0; font-size: 2.25rem; letter-spacing: -0.02em; }
h2 { margin: 2.5rem 0 0.5rem; font-size: 1.125rem; }
p { margin: 0.5rem 0; }
a { color: var(--mark); }
a:focus-visible { outline: 2px solid var(--mark); outline-offset: 3px; }
dl { margin: 0; }
dl div { display: grid; grid-template-columns: 9rem 1fr; gap: 0 1rem; padding: 0.6rem 0; border-top: 1px solid var(--line); }
dt, pre { font-family: ui-monospace, monospace; font-size: 0.9375rem; }
dd { margin: 0; color: var(--soft); }
pre { overflow-x: auto; margin: 0.5rem 0; padding: 0.75rem 1rem; border: 1px solid var(--line); border-radius: 6px; }
form { display: flex; flex-wrap: wrap; gap: 0.5rem; margin: 1rem 0 0.5rem; }
label { flex: 1 0 100%; color: var(--soft); }
input { flex: 1; min-width: 10rem; padding: 0.4rem 0.6rem; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line);
  border-radius: 6px; }
button { padding: 0.4rem 1rem; font: inherit; color: var(--paper); background: var(--mark); border: 0; border-radius: 6px; }
input:focus-visible, button:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
ol { margin: 0; padding-left: 1.5rem; overflow-wrap: anywhere; }
output { font-variant-numeric: tabular-nums; }
@media (max-width: 30rem) { dl div { grid-template-columns: 1fr; } }
</style>
</head>
<body>
<h1>Scherzo</h1>
<p>This page comes from an ordinary Fastify app that runs on one event loop per core, behind one port.</p>

<h2>On the fast lane</h2>
<p>Answered before any framework code runs.</p>
<dl>
<div><dt><a href="/plaintext">/plaintext</a></dt><dd>a fixed text</dd></div>
<div><dt><a href="/json">/json</a></dt><dd>an object made and serialised for every request</dd></div>
<div><dt><a href="/">/</a></dt><dd>this page, held as it is and in three compressed forms</dd></div>
</dl>

<h2>On the main lane</h2>
<p>Fastify as you know it, on the same connections.</p>
<dl>
<div><dt><a href="/users/42">/users/42</a></dt><dd>a parameter and a response with a schema</dd></div>
<div><dt><a href="/users/nobody">/users/nobody</a></dt><dd>the same route, refusing a parameter that is no number</dd></div>
<div><dt>POST /echo</dt><dd>gives the body back, whatever its type; so does POST /</dd></div>
</dl>
<pre>curl -d 'Grüezi' -H 'content-type: text/plain' http://localhost:3000/echo</pre>

<h2>On WebSockets</h2>
<p>Messages of a channel reach its subscribers on every worker. Open this page twice and write to yourself.</p>
<dl>
<div><dt>/live</dt><dd><output id="tick">connecting</output></dd></div>
<div><dt>/echo</dt><dd>gives text and binary messages back, up to 16 MiB</dd></div>
</dl>
<form id="chat"><label for="text">Say something to all who have this page open</label>
<input id="text" maxlength="200" autocomplete="off" required><button>Send</button></form>
<ol id="said" aria-live="polite"></ol>
<script>
const tick = document.querySelector('#tick')
const said = document.querySelector('#said')
let socket
function connect() {
  socket = new WebSocket(location.origin.replace('http', 'ws') + '/live')
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data)
    if (message.channel === 'ticks') tick.textContent = 'tick ' + message.offset + ' at ' + message.data.at
    else if (message.channel === 'chat') say(message.data.text)
  }
  socket.onclose = () => {
    tick.textContent = 'connecting again'
    setTimeout(connect, 1000)
  }
}
function say(text) {
  const line = document.createElement('li')
  line.textContent = text
  said.append(line)
  while (said.children.length > 20) said.firstChild.remove()
}
connect()
document.querySelector('#chat').onsubmit = (event) => {
  event.preventDefault()
  const { text } = event.target.elements
  if (socket.readyState === WebSocket.OPEN) {
    socket.send(text.value)
    text.value = ''
  }
}
const command = document.querySelector('pre')
command.textContent = command.textContent.replace('http://localhost:3000', location.origin)
</script>
</body>
</html>
`

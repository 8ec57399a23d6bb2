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
<script>
const command = document.querySelector('pre')
command.textContent = command.textContent.replace('http://localhost:3000', location.origin)
</script>
</body>
</html>
`

import type { Status } from "./status";
import { hueOf, themeStyle } from "./theme";

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Every value put into the text is escaped. */
function html(texts: TemplateStringsArray, ...values: (string | number)[]): string {
  const escaped = values.map((value) => String(value).replace(/[&<>"']/g, (character) => entities[character] ?? ""));
  return String.raw({ raw: texts }, ...escaped);
}

const icon = (hue: number): string =>
  `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="4" fill="oklch(48% 0.16 ${hue})"/></svg>`)}`;

export const page = (status: Status, requestId: string): string => html`<!doctype html>
<html lang="en" data-version="${status.version}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${status.version} on ${status.host}</title>
<link rel="icon" href="${icon(hueOf(status.version))}">
<style>${themeStyle(status.version)}</style>
<link rel="stylesheet" href="/style.css">
<script src="/page.js" defer></script>
</head>
<body>
<main>
  <header>
    <p class="label">Hello, DevOps. This is release</p>
    <h1>${status.version}</h1>
    <p class="state" data-live="state">${status.state}</p>
  </header>
  <dl>
    <div><dt>Commit</dt><dd><code>${status.commit}</code></dd></div>
    <div><dt>Host</dt><dd><code>${status.host}</code></dd></div>
    <div><dt>Serving since</dt><dd><time datetime="${status.startedAt}">${status.startedAt}</time></dd></div>
    <div><dt>Up for</dt><dd><span data-live="uptimeSeconds">${status.uptimeSeconds}</span> s</dd></div>
    <div><dt>Requests served</dt><dd data-live="served">${status.served}</dd></div>
    <div><dt>In flight</dt><dd data-live="inFlight">${status.inFlight}</dd></div>
  </dl>
  <footer>
    <nav><a href="/health">health</a> <a href="/version">version</a> <a href="/status">status</a></nav>
    <p>Request <code>${requestId}</code></p>
  </footer>
</main>
</body>
</html>
`;

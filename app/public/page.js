// Keeps the numbers live; when another release answers, shows that release's page.
const root = document.documentElement;
const since = document.querySelector("time");
since.textContent = new Date(since.dateTime).toLocaleString();

function show(name, value) {
  document.querySelector(`[data-live="${name}"]`).textContent = value;
}

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch("/status", { cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const status = await answer.json();
    if (status.version !== root.dataset.version) return location.reload();
    for (const name of ["state", "uptimeSeconds", "served", "inFlight"]) show(name, status[name]);
    root.dataset.state = status.state;
  } catch {
    root.dataset.state = "unreachable";
    show("state", "unreachable");
  }
}

setInterval(refresh, 2000);

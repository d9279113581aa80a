// Shows what changed without a reload: parts marked data-live are replaced by their new
// selves, the form with somebody's half-written comment is left alone.
const served = new Map();
for (const part of document.querySelectorAll("[data-live]")) served.set(part.id, part.outerHTML);

async function refresh() {
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const timeline = document.getElementById("timeline");
  const fresh = new Set();
  for (const part of page.querySelectorAll("[data-live]")) {
    fresh.add(part.id);
    const old = document.getElementById(part.id);
    const html = part.outerHTML;
    if (!old) timeline.append(document.adoptNode(part));
    else if (served.get(part.id) !== html) {
      const open = [...old.querySelectorAll("details")].map((fold) => fold.open);
      part.querySelectorAll("details").forEach((fold, n) => (fold.open = open[n] ?? fold.open));
      old.replaceWith(document.adoptNode(part));
    }
    served.set(part.id, html);
  }
  for (const gone of timeline.querySelectorAll("[data-live]")) if (!fresh.has(gone.id)) gone.remove();
}

let waiting = Promise.resolve();
const news = () => {
  waiting = waiting.then(refresh).catch(() => {});
};
const stream = new EventSource(`${location.pathname}/changes`);
stream.onmessage = news;
stream.onopen = () => {
  document.documentElement.dataset.live = "on";
  news(); // what happened before the stream was open
};

// The table of this folder: the golden samples on each provider, next to the expected outputs.

const TITLES = { wasm: "WebAssembly", webgpu: "WebGPU" };
const WARM_RUNS = 3;

const element = (name) => document.getElementById(name);

function row(provider) {
  const line = element("rows").insertRow();
  line.insertCell().textContent = TITLES[provider];
  return (texts, kind) => {
    while (line.cells.length > 1) line.deleteCell(-1);
    for (const text of texts) line.insertCell().textContent = text;
    if (texts.length === 1) line.cells[1].colSpan = 5;
    if (line.cells.length > 1) line.cells[1].className = kind;
  };
}

async function measured(model, provider, golden) {
  const begun = performance.now();
  const session = await model.load(provider);
  const loaded = performance.now() - begun;
  let [equal, worst, same, times] = [0, 0, 0, []];
  for (let one = 0; one < golden.samples; one += 1) {
    const given = await model.arrays(`golden/${one}.npz`);
    const expected = await model.arrays(`golden/${one}.expected.npz`);
    const first = await model.run(session, given);
    const { error, equal: classes } = model.compared(first.outputs, expected);
    equal += error <= golden.max_error ? 1 : 0;
    worst = Math.max(worst, error);
    same += classes / golden.samples;
    for (let again = 0; again < WARM_RUNS; again += 1) {
      times.push((await model.run(session, given)).milliseconds);
    }
  }
  times.sort((a, b) => a - b);
  await session.release();
  return { equal, worst, same, loaded, sample: times[times.length >> 1] };
}

async function main() {
  element("threads").textContent = self.crossOriginIsolated
    ? "Threads are on."
    : "Threads are off: the server sends no COOP and COEP headers. README.md has them.";
  let model;
  try {
    model = await import("./model.js");
  } catch (error) {
    element("about").textContent = `The model cannot be loaded: ${error.message}`;
    return [];
  }
  const golden = await model.json("golden/samples.json");
  element("about").textContent =
    `${model.settings.title}: ${golden.samples} golden samples, ${model.settings.runtime}.`;
  const results = [];
  for (const provider of model.settings.providers) {
    const show = row(provider);
    show(["running"], "");
    try {
      const found = await measured(model, provider, golden);
      const good = found.equal === golden.samples;
      const texts = [`${found.equal} of ${golden.samples}`, found.worst.toExponential(1)];
      texts.push(`${(100 * found.same).toFixed(1)} %`);
      texts.push(`${found.loaded.toFixed(0)} ms`, `${found.sample.toFixed(2)} ms`);
      show(texts, good ? "good" : "bad");
      results.push({ provider, good, ...found });
    } catch (error) {
      show([String(error.message ?? error)], "bad");
      results.push({ provider, good: false, error: String(error.message ?? error) });
    }
  }
  return results;
}

window.results = main();

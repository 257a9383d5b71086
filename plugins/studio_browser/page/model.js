// The model of this folder in onnxruntime-web.

import { readNpz } from "./npz.js";

export const settings = await json("settings.json");

const ort = await import(`./${settings.script}`);
ort.env.wasm.wasmPaths = new URL("./ort/", import.meta.url).href;

export async function json(path) {
  return (await fetched(path)).json();
}

async function fetched(path) {
  const response = await fetch(new URL(path, import.meta.url));
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response;
}

// Returns the arrays of a file.
export async function arrays(path) {
  return readNpz(await (await fetched(path)).arrayBuffer());
}

// Returns a session. With "verbose", the console has the place of each node.
export async function load(provider, verbose = false) {
  if (provider === "webgpu" && !(await navigator.gpu?.requestAdapter())) {
    throw new Error("This browser has no WebGPU.");
  }
  if (verbose) ort.env.logLevel = "verbose";
  const options = { executionProviders: [provider] };
  if (verbose) Object.assign(options, { logSeverityLevel: 0, logVerbosityLevel: 0 });
  const bytes = new Uint8Array(await (await fetched(settings.model)).arrayBuffer());
  return ort.InferenceSession.create(bytes, options);
}

// Returns the outputs of a model in order, as {name, type, dims, data}, and the milliseconds.
export async function run(session, given) {
  const feeds = {};
  for (const name of session.inputNames) {
    if (!(name in given)) throw new Error(`The samples have no array ${name}.`);
    const { type, dims, data } = given[name];
    feeds[name] = new ort.Tensor(type, data, dims);
  }
  const begun = performance.now();
  const found = await session.run(feeds);
  const milliseconds = performance.now() - begun;
  const outputs = session.outputNames.map((name) => {
    const { type, dims, data } = found[name];
    return { name, type, dims, data };
  });
  return { outputs, milliseconds };
}

// Returns the largest difference, divided by the largest expected value, and the shared argmax.
export function compared(found, expected) {
  let [error, equal, rows] = [0, 0, 0];
  for (const [at, output] of found.entries()) {
    const wanted = expected[at] ?? expected[output.name];
    if (!wanted || wanted.data.length !== output.data.length) return { error: Infinity, equal: 0 };
    let [largest, difference] = [0, 0];
    for (let one = 0; one < wanted.data.length; one += 1) {
      const value = Number(wanted.data[one]);
      largest = Math.max(largest, Math.abs(value));
      const distance = Math.abs(Number(output.data[one]) - value);
      difference = Number.isNaN(distance) ? Infinity : Math.max(difference, distance);
    }
    error = Math.max(error, difference / (largest || 1));
    const row = wanted.dims.at(-1) ?? 1;
    for (let one = 0; row > 1 && one < wanted.data.length; one += row) {
      rows += 1;
      equal += argmax(output.data, one, row) === argmax(wanted.data, one, row) ? 1 : 0;
    }
  }
  return { error, equal: rows ? equal / rows : 1 };
}

function argmax(data, start, length) {
  let best = start;
  for (let one = start; one < start + length; one += 1) if (data[one] > data[best]) best = one;
  return best - start;
}

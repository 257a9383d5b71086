// The calls of a check: each returns {value} or {error}.

import { arrays, load, run } from "./model.js";

let session = null;
const base64 = (data) => {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) {
    text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  }
  return btoa(text);
};
const guarded = (work) => async (...given) => {
  try {
    return { value: await work(...given) };
  } catch (error) {
    return { error: String(error?.message ?? error) };
  }
};
window.check = {
  load: guarded(async (provider, verbose) => {
    session = await load(provider, verbose);
    return { inputs: session.inputNames, threads: self.crossOriginIsolated };
  }),
  run: guarded(async (path) => {
    const { outputs, milliseconds } = await run(session, await arrays(path));
    return {
      milliseconds,
      outputs: outputs.map(({ type, dims, data }) => ({ type, dims, data: base64(data) })),
    };
  }),
};

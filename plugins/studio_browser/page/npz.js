// Arrays of NumPy: reads archives without compression, as the check writes them.

const KINDS = {
  "<f4": ["float32", Float32Array],
  "<f8": ["float64", Float64Array],
  "<f2": ["float16", globalThis.Float16Array ?? Uint16Array],
  "<i8": ["int64", BigInt64Array],
  "<u8": ["uint64", BigUint64Array],
  "<i4": ["int32", Int32Array],
  "<u4": ["uint32", Uint32Array],
  "<i2": ["int16", Int16Array],
  "<u2": ["uint16", Uint16Array],
  "|i1": ["int8", Int8Array],
  "|u1": ["uint8", Uint8Array],
  "|b1": ["bool", Uint8Array],
};

const DIRECTORY = 0x06054b50;
const LOCAL_HEADER = 30;

// Returns {name: {type, dims, data}} of an archive.
export function readNpz(buffer) {
  const view = new DataView(buffer);
  let end = buffer.byteLength - 22;
  while (end >= 0 && view.getUint32(end, true) !== DIRECTORY) end -= 1;
  if (end < 0) throw new Error("The samples are no archive of arrays.");
  const arrays = {};
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left -= 1) {
    const [names, extra, comment] = [28, 30, 32].map((one) => view.getUint16(at + one, true));
    const name = new TextDecoder().decode(new Uint8Array(buffer, at + 46, names));
    if (view.getUint16(at + 10, true) !== 0) throw new Error(`${name} is compressed.`);
    const local = view.getUint32(at + 42, true);
    const lengths = view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    arrays[name.replace(/\.npy$/, "")] = readNpy(buffer, local + LOCAL_HEADER + lengths);
    at += 46 + names + extra + comment;
  }
  return arrays;
}

function readNpy(buffer, start) {
  const view = new DataView(buffer, start);
  const long = view.getUint8(6) > 1;
  const length = long ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = long ? 12 : 10;
  const text = new TextDecoder("latin1").decode(new Uint8Array(buffer, start + header, length));
  const kind = /'descr': '([^']*)'/.exec(text)?.[1];
  if (!(kind in KINDS)) throw new Error(`The page does not know arrays of the type ${kind}.`);
  if (/'fortran_order': True/.test(text)) throw new Error("An array is in Fortran's order.");
  const shape = /'shape': \(([^)]*)\)/.exec(text)[1];
  const dims = shape.split(",").filter((one) => one.trim()).map(Number);
  const [type, Kind] = KINDS[kind];
  const size = dims.reduce((all, one) => all * one, 1);
  const first = start + header + length;
  const data = new Kind(buffer.slice(first, first + size * Kind.BYTES_PER_ELEMENT));
  return { type, dims, data };
}

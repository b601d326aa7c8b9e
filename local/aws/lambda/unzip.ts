import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { inflateRawSync } from 'node:zlib';

const END_OF_DIRECTORY = 0x06054b50;
const CENTRAL_HEADER = 0x02014b50;
const STORED = 0;
const DEFLATED = 8;

/**
 * Writes the files of a zip archive, as a deployment packs them, below a folder. The layout is APPNOTE.TXT's, section 4.3.
 * @throws Error for what is no such archive, and for a path that would leave the folder
 */
export function unzip(archive: Buffer, folder: string): void {
  for (const { name, bytes } of entriesOf(archive)) {
    if (name.endsWith('/')) continue;
    const path = normalize(join(folder, name));
    if (!path.startsWith(normalize(folder) + sep)) throw new Error(`The archive's ${name} leaves its folder`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes());
  }
}

type Entry = { name: string; bytes: () => Buffer };

function* entriesOf(archive: Buffer): Generator<Entry> {
  const end = archive.lastIndexOf(littleEndian(END_OF_DIRECTORY));
  if (end < 0) throw new Error('Not a zip archive: it has no end of a directory');
  const count = archive.readUInt16LE(end + 10);
  let at = archive.readUInt32LE(end + 16);
  for (let entry = 0; entry < count; entry += 1) {
    if (archive.readUInt32LE(at) !== CENTRAL_HEADER)
      throw new Error('Not a zip archive: its directory is broken');
    const method = archive.readUInt16LE(at + 10);
    const size = archive.readUInt32LE(at + 20);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      archive.readUInt16LE(at + field),
    ) as [number, number, number];
    const header = archive.readUInt32LE(at + 42);
    const name = archive.toString('utf8', at + 46, at + 46 + nameLength);
    yield { name, bytes: () => content(archive, { name, header, size, method }) };
    at += 46 + nameLength + extraLength + commentLength;
  }
}

function content(
  archive: Buffer,
  { name, header, size, method }: { name: string; header: number; size: number; method: number },
): Buffer {
  const from = header + 30 + archive.readUInt16LE(header + 26) + archive.readUInt16LE(header + 28);
  const packed = archive.subarray(from, from + size);
  if (method === STORED) return packed;
  if (method === DEFLATED) return inflateRawSync(packed);
  throw new Error(`The archive's ${name} is packed by method ${method}; 0 and 8 are known here`);
}

function littleEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

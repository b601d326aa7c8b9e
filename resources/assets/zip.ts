import { crc32 } from 'node:zlib';

/** One file by its path with forward slashes. */
export type NamedFile = { name: string; body: Buffer };

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_OF_DIRECTORY = 0x06054b50;
const VERSION = 20;
const UTF8_NAMES = 0x0800;
/** 1980-01-01, the first day that the format knows. */
const DATE = (1 << 5) | 1;

/**
 * A zip archive of files as they are, uncompressed, without times or modes: the same files always give the same bytes,
 * whatever compresses elsewhere. For a package of some 100 KB; the layout is APPNOTE.TXT's, section 4.3.
 */
export function zipOf(files: readonly NamedFile[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, body } of files) {
    const nameBytes = Buffer.from(name, 'utf8');
    const facts = factsOf(nameBytes, body);
    const local = Buffer.concat([numbers([LOCAL_HEADER, 4]), facts, nameBytes, body]);
    directory.push(
      numbers([CENTRAL_HEADER, 4], [VERSION, 2]),
      facts,
      // Length of the comment, disk, internal attributes, external attributes.
      numbers([0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]),
      nameBytes,
    );
    locals.push(local);
    offset += local.length;
  }
  const size = directory.reduce((bytes, part) => bytes + part.length, 0);
  const end = numbers(
    [END_OF_DIRECTORY, 4],
    [0, 2],
    [0, 2],
    [files.length, 2],
    [files.length, 2],
    [size, 4],
    [offset, 4],
    [0, 2],
  );
  return Buffer.concat([...locals, ...directory, end]);
}

/** What a file's two headers share: version, flags, method, time, date, checksum, sizes, lengths of name and extra field. */
function factsOf(name: Buffer, body: Buffer): Buffer {
  return numbers(
    [VERSION, 2],
    [UTF8_NAMES, 2],
    [0, 2],
    [0, 2],
    [DATE, 2],
    [crc32(body), 4],
    [body.length, 4],
    [body.length, 4],
    [name.length, 2],
    [0, 2],
  );
}

/** Little-endian numbers, each with its bytes. */
function numbers(...fields: [value: number, bytes: number][]): Buffer {
  const out = Buffer.alloc(fields.reduce((total, [, bytes]) => total + bytes, 0));
  let at = 0;
  for (const [value, bytes] of fields) at = out.writeUIntLE(value, at, bytes);
  return out;
}

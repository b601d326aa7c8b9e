import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { unzip } from '../../../../local/aws/lambda/unzip.ts';
import { zipOf } from '../../../../resources/assets/zip.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cdc-unzip-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const read = (name: string) => readFileSync(join(folder, name), 'utf8');

describe('unzip', () => {
  it('writes the files of an archive into their folders', () => {
    const files = { 'tables.yml': 'project: p\n', 'functions/enrich/handler.cjs': 'schöner 🐘' };
    unzip(zipOf(Object.entries(files).map(([name, text]) => ({ name, body: Buffer.from(text) }))), folder);
    expect(read('tables.yml')).toBe(files['tables.yml']);
    expect(read('functions/enrich/handler.cjs')).toBe(files['functions/enrich/handler.cjs']);
  });

  it('inflates what is deflated', () => {
    const text = 'again and '.repeat(1000);
    unzip(deflated('a.txt', Buffer.from(text)), folder);
    expect(read('a.txt')).toBe(text);
  });

  it.each(['../outside', 'a/../../outside'])('refuses %s, which leaves the folder', (name) => {
    expect(() => unzip(zipOf([{ name, body: Buffer.from('x') }]), folder)).toThrow(/leaves its folder/);
  });

  it('says that something is no archive', () => {
    expect(() => unzip(Buffer.from('no archive'), folder)).toThrow(/Not a zip archive/);
  });
});

/** An archive of one deflated file, written by the layout that APPNOTE.TXT gives. */
function deflated(name: string, body: Buffer): Buffer {
  const packed = deflateRawSync(body);
  const facts = Buffer.alloc(26);
  facts.writeUInt16LE(20, 0);
  facts.writeUInt16LE(8, 4);
  facts.writeUInt32LE(crc32(body), 10);
  facts.writeUInt32LE(packed.length, 14);
  facts.writeUInt32LE(body.length, 18);
  facts.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), facts, Buffer.from(name), packed]);
  const central = Buffer.concat([
    Buffer.from('PK\x01\x02\x14\x00'),
    facts,
    Buffer.alloc(14),
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}

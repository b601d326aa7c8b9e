/** An answer that S3 would give: its code, the HTTP status and the message. */
export class S3Error extends Error {
  override name = 'S3Error';
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
    this.status = STATUS[code] ?? 400;
  }
}

/** HTTP status of each code used here (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html). */
const STATUS: Record<string, number> = {
  InternalError: 500,
  InvalidRange: 416,
  MethodNotAllowed: 405,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NotImplemented: 501,
  PreconditionFailed: 412,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  ObjectIsAFolder: 409,
};

/** The body of an error answer. */
export function errorXml({ code, message }: { code: string; message: string }, resource: string): string {
  return `${XML_HEAD}<Error><Code>${xmlText(code)}</Code><Message>${xmlText(message)}</Message><Resource>${xmlText(resource)}</Resource></Error>`;
}

export const XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** Text as XML 1.0 content; line ends as references, which a parser would otherwise change. */
export function xmlText(text: string): string {
  return text.replace(/[<>&"'\p{Cc}]/gu, (character) => `&#${character.charCodeAt(0)};`);
}

/** The head of a request. */
export interface RequestHead {
  readonly method: string;
  /** As it was sent: a path in percent-encoding. */
  readonly target: string;
  /** Bytes of the body that follows. */
  readonly bodyLength: number;
  /** Bytes of the head itself, with the empty line after it. */
  readonly headLength: number;
}

/** The longest head that is read, in bytes. */
export const MAX_HEAD_BYTES = 8 * 1024;

const END = '\r\n\r\n';
const REQUEST_LINE = /^([A-Z]{1,16}) ([\x21-\x7e]{1,4096}) HTTP\/1\.[01]$/;
/** RFC 9112, section 5: no blank before the colon. */
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;
/** Bytes that may still become a valid head; anything else is refused at once. */
const BEGUN = /^(?:[A-Z]+(?: [\r\n\t\x20-\x7e\x80-\xff]*)?)?$/;
const LENGTH = /^[0-9]{1,9}$/;

/**
 * Reads the head of an HTTP/1.1 request (RFC 9112), in the form that our own programs send: with the body's length, and not in
 * chunks.
 *
 * @param bytes - what came so far
 * @returns the head; `more`: it is incomplete; `wrong`: it is invalid or unsupported
 */
export function requestHead(bytes: Buffer): RequestHead | 'more' | 'wrong' {
  const end = bytes.subarray(0, MAX_HEAD_BYTES).indexOf(END);
  if (end === -1) {
    return bytes.length < MAX_HEAD_BYTES && BEGUN.test(bytes.toString('latin1')) ? 'more' : 'wrong';
  }
  const [first = '', ...fields] = bytes.toString('latin1', 0, end).split('\r\n');
  const [, method, target] = REQUEST_LINE.exec(first) ?? [];
  const bodyLength = bodyLengthOf(fields);
  return method === undefined || target === undefined || bodyLength === undefined
    ? 'wrong'
    : { method, target, bodyLength, headLength: end + END.length };
}

/** Two fields for the body's end would be ambiguous. */
function bodyLengthOf(fields: readonly string[]): number | undefined {
  let length: number | undefined;
  for (const field of fields) {
    const [, name, value = ''] = FIELD.exec(field) ?? [];
    switch (name?.toLowerCase()) {
      case undefined:
      case 'transfer-encoding':
        return undefined;
      case 'content-length':
        if (length !== undefined || !LENGTH.test(value)) {
          return undefined;
        }
        length = Number(value);
        break;
      default:
        break;
    }
  }
  return length ?? 0;
}

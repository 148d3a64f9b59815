import { createRequire } from 'node:module';
import type * as Ffi from 'ffi-rs';
import type { Person } from './person.ts';

/* libpam through ffi-rs. Only 64-bit machines: pointers have eight bytes. */

type FfiRs = typeof Ffi;
type Address = bigint;

const POINTER_BYTES = 8;
/** struct pam_message and struct pam_response have the size of two pointers. */
const PAIR_BYTES = 16;
/** PAM_MAX_NUM_MSG. */
const MOST_MESSAGES = 32;
const STYLE = { hidden: 1, visible: 2 } as const;
const PAM_SUCCESS = 0;
const PAM_BUF_ERR = 5;
const PAM_CONV_ERR = 19;
const ITEM = { tty: 3, rhost: 4, ruser: 8 } as const;
/** The lines that pam_rehearse.so prints (native/rehearse). */
// eslint-disable-next-line no-control-regex
const SAYS = /^\u0001rehearsal (\d+) (\d+)$/;

/** ffi-rs has no binary for this machine, or libpam is not there. */
export class NoLibpamError extends Error {
  /** @param cause - what it could not be loaded for */
  constructor(cause: unknown) {
    // Node's message about a missing package has many lines.
    const [why = ''] = (cause instanceof Error ? cause.message : 'unknown').split('\n');
    super(
      `libpam cannot be called here (${why}), so nothing can be rehearsed. ` +
        'Instead, keep a root shell open and try "enable": it undoes itself unless you confirm.',
    );
    this.name = 'NoLibpamError';
  }
}

/** What to rehearse. */
export interface Rehearsal {
  readonly service: string;
  readonly user: string;
  /** The directory with the copy of the service's stacks. */
  readonly directory: string;
  /** Of pam_authenticate(3). */
  readonly flags: number;
  readonly tty: string;
  readonly rhost?: string | undefined;
  readonly ruser: string;
}

/** The result. */
export interface Rehearsed {
  /** `account`: the check whether the account is usable, which comes after the person has proven who they are. */
  readonly at: 'auth' | 'account';
  readonly rc: number;
  /** In libpam's words. */
  readonly words: string;
  /** The result of each module: its number in the copy, and the value. */
  readonly said: readonly { readonly step: number; readonly rc: number; readonly words: string }[];
}

/**
 * Runs the conversation of a service, without logging in: no credentials, no session.
 *
 * @param rehearsal - what
 * @param person - who is asked
 * @returns how it went
 * @throws NoLibpamError where libpam cannot be called
 */
export async function rehearse(rehearsal: Rehearsal, person: Person): Promise<Rehearsed> {
  return new Libpam(load()).run(rehearsal, person);
}

function load(): FfiRs {
  try {
    const ffi = createRequire(import.meta.url)('ffi-rs') as FfiRs;
    ffi.open({ library: 'c', path: 'libc.so.6' });
    ffi.open({ library: 'pam', path: 'libpam.so.0' });
    return ffi;
  } catch (error) {
    throw new NoLibpamError(error);
  }
}

type Argument = string | number | Address | Buffer;

class Libpam {
  readonly #ffi: FfiRs;
  readonly #said: { step: number; rc: number }[] = [];

  constructor(ffi: FfiRs) {
    this.#ffi = ffi;
  }

  async run(rehearsal: Rehearsal, person: Person): Promise<Rehearsed> {
    const handle = this.#start(rehearsal, person);
    for (const item of ['tty', 'rhost', 'ruser'] as const) {
      const value = rehearsal[item];
      if (value !== undefined) {
        this.#int('pam', 'pam_set_item', handle, ITEM[item], value);
      }
    }
    let at: Rehearsed['at'] = 'auth';
    let rc = await this.#wait('pam_authenticate', handle, rehearsal.flags);
    if (rc === PAM_SUCCESS) {
      at = 'account';
      rc = await this.#wait('pam_acct_mgmt', handle, rehearsal.flags);
    }
    const words = this.#words(handle, rc);
    const said = this.#said.map((result) => ({ ...result, words: this.#words(handle, result.rc) }));
    this.#int('pam', 'pam_end', handle, rc);
    return { at, rc, words, said };
  }

  #start({ service, user, directory }: Rehearsal, person: Person): Address {
    const ffi = this.#ffi;
    const { I32, BigInt: pointer } = ffi.DataType;
    // An address is a number or a bigint, depending on its size.
    const converse = (count: number, messages: bigint | number, answers: bigint | number): number => {
      // An exception here, or a result that is not a number, would end the process at once.
      try {
        return this.#converse(count, BigInt(messages), BigInt(answers), person);
      } catch {
        return PAM_CONV_ERR;
      }
    };
    const type = ffi.funcConstructor({ paramsType: [I32, pointer, pointer, pointer], retType: I32 });
    const made = ffi.createPointer({ paramsType: [type], paramsValue: [converse] });
    const [callback] = ffi.unwrapPointer(made);
    // labs(3) returns what it gets: the address as a number.
    const address = ffi.load({
      library: 'c',
      funcName: 'labs',
      retType: pointer,
      paramsType: [ffi.DataType.External],
      paramsValue: [callback],
    }) as unknown as bigint | number;
    const conversation = this.#zeroed(PAIR_BYTES);
    const handle = this.#zeroed(POINTER_BYTES);
    this.#write(conversation, bytesOf(BigInt(address)));
    const rc = this.#int('pam', 'pam_start_confdir', service, user, conversation, directory, handle);
    if (rc !== PAM_SUCCESS) {
      throw new NoLibpamError(new Error(`pam_start_confdir: ${rc}`));
    }
    return this.#pointerAt(handle);
  }

  /** struct pam_message ** in, an array of struct pam_response out, which PAM frees. */
  #converse(count: number, messages: Address, answers: Address, person: Person): number {
    if (count < 1 || count > MOST_MESSAGES) {
      return PAM_CONV_ERR;
    }
    const responses = this.#zeroed(count * PAIR_BYTES);
    for (let index = 0; index < count; index += 1) {
      const message = this.#read(this.#pointerAt(messages + BigInt(index * POINTER_BYTES)), PAIR_BYTES);
      const style = message.readInt32LE(0);
      const text = this.#textAt(message.readBigUInt64LE(POINTER_BYTES));
      if (style === STYLE.hidden || style === STYLE.visible) {
        const answer = person.ask(text, style === STYLE.hidden);
        if (answer === undefined) {
          return PAM_CONV_ERR;
        }
        const copy = this.#zeroed(answer.length + 1);
        this.#write(copy, answer);
        answer.fill(0);
        this.#write(responses + BigInt(index * PAIR_BYTES), bytesOf(copy));
      } else {
        this.#told(text, person);
      }
    }
    this.#write(answers, bytesOf(responses));
    return PAM_SUCCESS;
  }

  #told(text: string, person: Person): void {
    const [, step, rc] = SAYS.exec(text) ?? [];
    if (step === undefined) {
      person.tell(text);
    } else {
      this.#said.push({ step: Number(step), rc: Number(rc) });
    }
  }

  /** Runs on its own thread, while this thread runs the conversation. */
  #wait(name: string, handle: Address, flags: number): Promise<number> {
    const { I32, BigInt: pointer } = this.#ffi.DataType;
    return this.#ffi.load({
      library: 'pam',
      funcName: name,
      retType: I32,
      runInNewThread: true,
      paramsType: [pointer, I32],
      paramsValue: [handle, flags],
    });
  }

  #int(library: 'c' | 'pam', name: string, ...values: readonly Argument[]): number {
    return Number(this.#call(library, name, this.#ffi.DataType.I32, values));
  }

  #words(handle: Address, rc: number): string {
    return String(this.#call('pam', 'pam_strerror', this.#ffi.DataType.String, [handle, rc]));
  }

  #zeroed(bytes: number): Address {
    const made = this.#call('c', 'calloc', this.#ffi.DataType.BigInt, [1, Math.max(1, bytes)]);
    const address = BigInt(made as bigint | number);
    if (address === 0n) {
      throw new NoLibpamError(new Error(`calloc: ${PAM_BUF_ERR}`));
    }
    return address;
  }

  #read(address: Address, bytes: number): Buffer {
    const copy = Buffer.alloc(bytes);
    this.#call('c', 'memcpy', this.#ffi.DataType.BigInt, [copy, address, bytes]);
    return copy;
  }

  #write(address: Address, bytes: Buffer): void {
    if (bytes.length > 0) {
      this.#call('c', 'memcpy', this.#ffi.DataType.BigInt, [address, bytes, bytes.length]);
    }
  }

  #pointerAt(address: Address): Address {
    return this.#read(address, POINTER_BYTES).readBigUInt64LE(0);
  }

  #textAt(address: Address): string {
    const length = Number(this.#call('c', 'strlen', this.#ffi.DataType.BigInt, [address]));
    return length === 0 ? '' : this.#read(address, length).toString('utf8');
  }

  #call(library: 'c' | 'pam', name: string, retType: Ffi.DataType, values: readonly Argument[]): unknown {
    const { I32, BigInt: pointer, String: text, U8Array } = this.#ffi.DataType;
    const typeOf = (value: Argument): Ffi.DataType => {
      if (typeof value === 'string') {
        return text;
      }
      if (typeof value === 'number') {
        return I32;
      }
      return typeof value === 'bigint' ? pointer : U8Array;
    };
    return this.#ffi.load({
      library,
      funcName: name,
      retType,
      paramsType: values.map(typeOf),
      paramsValue: [...values],
    });
  }
}

function bytesOf(address: Address): Buffer {
  const bytes = Buffer.alloc(POINTER_BYTES);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, address));
  return bytes;
}

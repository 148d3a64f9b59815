import { readFileSync } from 'node:fs';
import { newAccount, type BoxAccount } from './account.ts';
import { visit, writeService, type Visited } from './host.ts';
import type { Module } from './module.ts';
import type { Phone } from './phone.ts';
import { putFile } from './place.ts';
import { phoneFor } from './play.ts';
import { IN } from './scenario.ts';
import { expectedText, fillIn, type Values } from './template.ts';

/** Differences from an ordinary user. */
export interface FileUserOptions {
  /** Of the module. */
  readonly options?: string;
  /** The answer; by default the current code. */
  readonly answer?: string;
  readonly phone?: Phone;
  /** Prepares the home before the file is written. */
  readonly prepare?: (account: BoxAccount) => Promise<unknown>;
}

/** Somebody with a state file, who logs in by one module. */
export class FileUser {
  readonly account: BoxAccount;
  readonly path: string;
  readonly #module: Module;
  readonly #values: Values;

  private constructor(module: Module, account: BoxAccount, phone: Phone) {
    this.#module = module;
    this.account = account;
    this.path = `${account.home}/.google_authenticator`;
    this.#values = { phone, home: account.home, user: account.name, top: '' };
  }

  /**
   * Makes an account, its file, and a PAM service of the same name.
   *
   * @param module - the module of the service
   * @param file - what the file says, see template.ts
   * @param options - what else
   * @returns the user
   */
  static async make(module: Module, file: string, options: FileUserOptions = {}): Promise<FileUser> {
    const { answer = '{code}', phone = await phoneFor({ title: '', file, answer, ...IN }) } = options;
    const user = new FileUser(module, newAccount(), phone);
    await options.prepare?.(user.account);
    putFile(user.path, user.fill(file), user.account);
    writeService(module.confdir, user.account.name, `${module.line} ${options.options ?? ''}`);
    return user;
  }

  /** What the file says. */
  get text(): string {
    return readFileSync(this.path, 'latin1');
  }

  /** A text about this user. */
  fill(template: string): string {
    return fillIn(template, this.#values);
  }

  /** What the file should say: see {@link expectedText}. */
  expected(template: string): string {
    return expectedText(template, this.#values, this.text);
  }

  /**
   * Logs in.
   *
   * @param answer - what is typed, see template.ts
   * @param rhost - where from
   * @returns how it ended and what was shown
   */
  async logIn(answer: string, rhost?: string): Promise<Pick<Visited, 'end' | 'shown'>> {
    const { end, shown } = await this.visit(answer, rhost);
    return { end, shown };
  }

  /**
   * Logs in, maybe behind a module that asked for a password.
   *
   * @param answer - what is typed, see template.ts
   * @param rhost - where from
   * @param password - what the earlier module asked for
   * @returns everything that the host saw
   */
  visit(answer: string, rhost: string | undefined, password?: string): Promise<Visited> {
    const { confdir, environment } = this.#module;
    const { name } = this.account;
    return visit({
      confdir,
      environment,
      service: name,
      user: name,
      answer: this.fill(answer),
      rhost,
      password: password === undefined ? undefined : this.fill(password),
      hurry: false,
    });
  }
}

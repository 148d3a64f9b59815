import type { FileFacts } from './machine.ts';

/** A program and its arguments; no shell reads them. */
export type Argv = readonly string[];

/** Owner and mode of a file. */
export type Access = Pick<FileFacts, 'uid' | 'gid' | 'mode'>;

/** One action of a remedy. The files that it changes are saved first, so that they can be restored to the byte. */
export type Act =
  | {
      readonly do: 'write';
      readonly path: string;
      /** The new contents, Latin-1; undefined to remove the file. */
      readonly text: string | undefined;
      /** For a new file; an existing one keeps its own. By default it belongs to root and is readable for everybody. */
      readonly access?: Access;
    }
  | { readonly do: 'access'; readonly path: string; readonly access: Access }
  | {
      readonly do: 'run';
      readonly argv: Argv;
      /** Files, or directories with all below them, that the program changes. */
      readonly touches?: readonly string[];
      /** Commands that undo effects outside of files. */
      readonly undo?: Argv;
    };

/** The actions that fix a finding without a person: all of them, or none. */
export interface Remedy {
  readonly acts: readonly Act[];
  /** Commands that make programs read the files, also after an undo. */
  readonly then?: readonly Argv[];
}

const ROOTS_FOR_ALL: Access = { uid: 0, gid: 0, mode: 0o644 };

/**
 * A remedy that only runs programs.
 *
 * @param argvs - one after the other
 * @returns the remedy
 */
export function running(...argvs: readonly Argv[]): Remedy {
  return { acts: argvs.map((argv) => ({ do: 'run', argv })) };
}

/**
 * Changes the owner and mode of a file.
 *
 * @param path - of the file
 * @param access - the new owner and mode; by default root, readable for everybody
 * @returns the act
 */
export function access(path: string, access: Partial<Access> = {}): Act {
  return { do: 'access', path, access: { ...ROOTS_FOR_ALL, ...access } };
}

import type { FileFacts } from './machine.ts';

/** A program and its arguments; no shell reads them. */
export type Argv = readonly string[];

/** Whose a file is, and who may do what with it. */
export type Access = Pick<FileFacts, 'uid' | 'gid' | 'mode'>;

/** One thing that a remedy does. What it touches is saved before, so that it can be put back to the byte. */
export type Act =
  | {
      readonly do: 'write';
      readonly path: string;
      /** What the file will say, Latin-1; undefined: it goes. */
      readonly text: string | undefined;
      /** Of a file that was not there; one that was keeps its own. Root's and readable for everybody when left out. */
      readonly access?: Access;
    }
  | { readonly do: 'access'; readonly path: string; readonly access: Access }
  | {
      readonly do: 'run';
      readonly argv: Argv;
      /** Files, or directories with all below them, that the program changes. */
      readonly touches?: readonly string[];
      /** What puts back what no file says. */
      readonly undo?: Argv;
    };

/** What mends a finding without a person: all of it, or nothing. */
export interface Remedy {
  readonly acts: readonly Act[];
  /** What lets others see the files; also after they were put back. */
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
 * Gives a file another access.
 *
 * @param path - of the file
 * @param access - as it should be; what is left out is root's, and readable for everybody
 * @returns the act
 */
export function access(path: string, access: Partial<Access> = {}): Act {
  return { do: 'access', path, access: { ...ROOTS_FOR_ALL, ...access } };
}

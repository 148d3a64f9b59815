import { actionOf, type Action } from './control.ts';
import type { Step } from './stack.ts';

/* libpam's paths through an auth stack (_pam_dispatch_aux of libpam/pam_dispatch.c), for all possible results of its modules. */

/** One path through a stack. */
export interface Way {
  /** Whether libpam grants access. */
  readonly success: boolean;
  /** The last step that ended a stack, or jumped, and so skipped a relevant step. */
  readonly turn: Step | undefined;
  /** The marks that {@link Modules.marks} gave on the path. */
  readonly marks: ReadonlySet<string>;
}

/** The possible behaviour of the modules. */
export interface Modules {
  /** The values that a module may return, as names without PAM_. */
  readonly values: (step: Step) => readonly string[];
  /** Whether a step is relevant, so that skipping it matters. */
  readonly matters: (step: Step) => boolean;
  /**
   * The mark of a step on the path. Paths with different marks are kept apart, so there should be few marks.
   *
   * @param over - whether the value ends the stack, or jumps, and so skips a relevant step
   */
  readonly marks: (step: Step, value: string, over: boolean) => string | undefined;
}

/** The state of a path. */
interface State {
  readonly impression: 'none' | 'good' | 'bad';
  /** The value that would be returned. */
  readonly status: string;
  readonly turn: Step | undefined;
  readonly marks: ReadonlySet<string>;
}

const START: State = { impression: 'none', status: 'perm_denied', turn: undefined, marks: new Set() };

/**
 * All paths through a stack; of equivalent paths, one.
 *
 * @param steps - the stack
 * @param modules - what its modules may return
 * @returns the paths
 */
export function waysThrough(steps: readonly Step[], modules: Modules): readonly Way[] {
  return through(steps, START, modules).map(({ impression, status, turn, marks }) => ({
    success: impression === 'good' && status === 'success',
    turn,
    marks,
  }));
}

/** Maps the state at the start of a stack or substack to the states at its end. */
function through(steps: readonly Step[], start: State, modules: Modules): readonly State[] {
  const at = Array.from({ length: steps.length + 1 }, () => new Map<string, State>());
  at[0]?.set(keyOf(start), start);
  for (const index of steps.keys()) {
    for (const state of at[index]?.values() ?? []) {
      for (const { to, then } of onward(steps, index, state, start, modules)) {
        const key = keyOf(then);
        if (at[to]?.has(key) === false) {
          at[to].set(key, then);
        }
      }
    }
  }
  return [...(at[steps.length]?.values() ?? [])];
}

function keyOf({ impression, status, marks }: State): string {
  return [impression, status === 'success', ...[...marks].sort()].join(' ');
}

function onward(
  steps: readonly Step[],
  index: number,
  state: State,
  start: State,
  modules: Modules,
): readonly { readonly to: number; readonly then: State }[] {
  const step = steps[index];
  const end = steps.length;
  if (step === undefined) {
    return [];
  }
  if (step.entry.control === 'substack') {
    return through(step.inside, state, modules).map((then) => ({ to: index + 1, then }));
  }
  return modules.values(step).map((value) => {
    const action = actionOf(step.entry.control, value);
    const over = steps.slice(index + 1, targetOf(action, index, end)).some(modules.matters);
    const mark = modules.marks(step, value, over);
    const seen = mark === undefined ? state : { ...state, marks: new Set([...state.marks, mark]) };
    const turned = over ? { ...seen, turn: step } : seen;
    if (typeof action === 'number') {
      const to = index + 1 + action;
      return to > end ? { to: end, then: failed(turned, 'perm_denied') } : { to, then: turned };
    }
    switch (action) {
      case 'ignore':
        return { to: index + 1, then: seen };
      case 'reset':
        return { to: index + 1, then: { ...seen, impression: start.impression, status: start.status } };
      case 'ok':
        return { to: index + 1, then: passed(seen, value) };
      case 'done': {
        const then = passed(turned, value);
        return then.impression === 'good' ? { to: end, then } : { to: index + 1, then: passed(seen, value) };
      }
      case 'bad':
        return { to: index + 1, then: failed(seen, value) };
      case 'die':
        return { to: end, then: failed(turned, value) };
    }
  });
}

/** The next states of a path. */
function targetOf(action: Action, index: number, end: number): number {
  if (action === 'done' || action === 'die') {
    return end;
  }
  return typeof action === 'number' ? Math.min(end, index + 1 + action) : index + 1;
}

function passed(state: State, value: string): State {
  return state.impression === 'none' || (state.impression === 'good' && state.status === 'success')
    ? { ...state, impression: 'good', status: value }
    : state;
}

function failed(state: State, value: string): State {
  return state.impression === 'bad'
    ? state
    : { ...state, impression: 'bad', status: value === 'ignore' ? 'perm_denied' : value };
}

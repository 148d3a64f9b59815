/**
 * Continues with an answer: at once if it is a value, later if it is a promise. So a login whose factors are in memory never
 * waits.
 *
 * @param answer - a value, or a promise of one
 * @param next - the continuation
 * @returns the result of `next`, or a promise of it
 */
export function withAnswer<T, U>(answer: T | Promise<T>, next: (value: T) => U | Promise<U>): U | Promise<U> {
  return answer instanceof Promise ? answer.then(next) : next(answer);
}

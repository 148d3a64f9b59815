/**
 * Goes on with an answer: at once when it is at hand, later when it is promised. A login whose factors are at hand is never put off.
 *
 * @param answer - a value, or a promise of one
 * @param next - what is made of it
 * @returns what `next` makes of it, or a promise of that
 */
export function withAnswer<T, U>(answer: T | Promise<T>, next: (value: T) => U | Promise<U>): U | Promise<U> {
  return answer instanceof Promise ? answer.then(next) : next(answer);
}

/**
 * Calls back when time is up. After a pause of the whole process (it was stopped, a disk hung) Node runs expired timers before it hears
 * what came in time and has been waiting. So this waits one turn of the event loop longer.
 *
 * @param milliseconds - from now
 * @param pass - is called when they have passed
 * @returns takes the limit away; afterwards nothing is called
 */
export function timeLimit(milliseconds: number, pass: () => void): () => void {
  let check: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    check = setImmediate(pass);
  }, milliseconds);
  return () => {
    clearTimeout(timer);
    clearImmediate(check);
  };
}

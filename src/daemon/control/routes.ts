import { ControlError } from './control-error.ts';

const USER_ACTIONS = ['changes', 'unlock', 'import', 'export', 'forget', 'rename'] as const;
type UserAction = (typeof USER_ACTIONS)[number];

/** What is asked for. */
export type Route =
  | { readonly is: 'users' | 'repair' | 'yubico' | 'yubico-check' | 'about' | 'logins' | 'health' }
  | { readonly is: 'user' | UserAction | 'remove-exported'; readonly user: string }
  | { readonly is: 'show'; readonly user: string; readonly factor: string }
  | {
      readonly is: 'rules';
      readonly service: string;
      readonly user: string;
      readonly address: string | undefined;
    };

/**
 * Reads which request it is.
 *
 * @param method - of HTTP
 * @param target - a path in percent-encoding, as it was sent
 * @returns the request, or undefined if there is none like that
 * @throws ControlError when the path cannot be read
 */
export function routeOf(method: string, target: string): Route | undefined {
  const [version, ...path] = pathOf(target);
  return version === 'v1' ? routeIn(method, path) : undefined;
}

function pathOf(target: string): string[] {
  try {
    return target.slice(1).split('/').map(decodeURIComponent);
  } catch {
    throw new ControlError(400, 'ERR_BAD_REQUEST', 'The path of the request cannot be read');
  }
}

function routeIn(method: string, path: readonly string[]): Route | undefined {
  const [collection, user, part, factor, action] = path;
  if (collection === 'ledger') {
    return method === 'POST' && path.length === 2 && user === 'repair' ? { is: 'repair' } : undefined;
  }
  if (collection === 'rules') {
    return method === 'GET' && (path.length === 3 || path.length === 4)
      ? { is: 'rules', service: user ?? '', user: part ?? '', address: factor }
      : undefined;
  }
  if (collection === 'yubico') {
    return yubicoRouteOf(`${method} ${path.slice(1).join('/')}`);
  }
  if (collection === 'about' || collection === 'logins' || collection === 'health') {
    return method === 'GET' && path.length === 1 ? { is: collection } : undefined;
  }
  if (collection !== 'users') {
    return undefined;
  }
  switch (`${method} ${path.length}`) {
    case 'GET 1':
      return { is: 'users' };
    case 'GET 2':
      return { is: 'user', user: user ?? '' };
    case 'POST 3':
      return isUserAction(part) ? { is: part, user: user ?? '' } : undefined;
    case 'POST 4':
      return part === 'export' && factor === 'remove'
        ? { is: 'remove-exported', user: user ?? '' }
        : undefined;
    case 'POST 5':
      return part === 'factors' && action === 'show'
        ? { is: 'show', user: user ?? '', factor: factor ?? '' }
        : undefined;
    default:
      return undefined;
  }
}

function yubicoRouteOf(request: string): Route | undefined {
  return request === 'GET '
    ? { is: 'yubico' }
    : request === 'POST check'
      ? { is: 'yubico-check' }
      : undefined;
}

function isUserAction(part: string | undefined): part is UserAction {
  return (USER_ACTIONS as readonly (string | undefined)[]).includes(part);
}

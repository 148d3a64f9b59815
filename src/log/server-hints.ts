/** The text of failures that mean: systemd gives the daemon no network. */
export const NETWORK_CLOSED =
  'systemd gives the daemon no network until [yubico] in config.toml has mode = "online"; then run systemctl daemon-reload, and restart the daemon';

const AUTHORITY =
  "this machine does not know the certificate's authority: name its PEM file with ca in [yubico]";

/** Advice by failure of a validation server. The keys are texts of failures, or their beginnings. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^(?:EAFNOSUPPORT|EPERM|EACCES|ENETUNREACH|ENETDOWN)$/, NETWORK_CLOSED],
  [/^ENOTFOUND$/, 'the name cannot be looked up: is it right, and does DNS work on this machine?'],
  [/^EAI_[A-Z]+$/, `the name cannot be looked up: does DNS work on this machine? Or ${NETWORK_CLOSED}`],
  [/^ECONNREFUSED$/, 'nothing listens there: is the address right, and does the server run?'],
  [
    /^(?:EHOSTUNREACH|ETIMEDOUT)$/,
    'the server cannot be reached: is the address right, and a firewall in between?',
  ],
  [/^no answer within the deadline/, 'the server does not answer at all, or a firewall blocks it'],
  [
    /^(?:ECONNRESET|EPIPE|HPE_|ERR_SSL_|EPROTO)/,
    'what answers there does not speak HTTPS: is the port right?',
  ],
  [
    /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE)/,
    AUTHORITY,
  ],
  [
    /^CERT_(?:NOT_YET_VALID|HAS_EXPIRED)$/,
    'the certificate is not valid today: is the clock of this machine right? Else the server needs a new one',
  ],
  [
    /^(?:CERT_|ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)/,
    'the certificate is not of that server, or not for that name',
  ],
  [/^the proxy answers/, 'the proxy refuses: check proxy in [yubico]'],
  [/^HTTP status/, 'there is a web server, but no validation server at this address: check urls in [yubico]'],
  [
    /^the answer is (?:malformed|larger)/,
    'what answers there is no validation server: check urls in [yubico]',
  ],
  [/^NO_SUCH_CLIENT$/, 'the server does not know this id: check id in [yubico]'],
  [/^BAD_SIGNATURE$/, 'the key is not the one of this id: check id and key in [yubico]'],
  [/^OPERATION_NOT_ALLOWED$/, 'the server does not let this id validate OTPs: ask its administrator'],
  [
    /^the signature of the answer/,
    'the server signs with another key: check key in [yubico]. If it is right, somebody impersonates the server',
  ],
  [
    /^(?:BACKEND_ERROR|NOT_ENOUGH_ANSWERS)$/,
    'the server or its pool has a problem: try later, or ask its administrator',
  ],
  [/^fewer than/, 'the pool does not reach sync_level of [yubico]'],
  [/^REPLAYED_REQUEST$/, 'the server has seen this request already: touch again'],
];

/**
 * What an administrator can do about a failure of a validation server.
 *
 * @param why - the failure, in the words of the client of validation servers
 * @returns advice in words; undefined when there is none
 */
export function hintFor(why: string): string | undefined {
  return HINTS.find(([pattern]) => pattern.test(why))?.[1];
}

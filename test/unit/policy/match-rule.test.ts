import { describe, expect, it } from 'vitest';
import { explainRule, matchRule, NEEDS_GROUPS, type KnownSubject } from '../../../src/policy/match-rule.ts';
import { parseNetwork } from '../../../src/policy/network.ts';
import { RULE_ACTIONS, type Rule } from '../../../src/policy/rule.ts';

const ALICE: KnownSubject = {
  service: 'sshd',
  user: 'alice',
  groups: ['alice', 'staff'],
  remoteHost: '192.0.2.77',
};

function rule(
  action: Rule['action'],
  conditions: Partial<Omit<Rule, 'network'>> & { network?: string[] } = {},
): Rule {
  const { network, ...others } = conditions;
  return {
    service: undefined,
    user: undefined,
    group: undefined,
    ...others,
    network: network?.map((text) => parseNetwork(text)!),
    action,
  };
}

describe('rules', () => {
  it('are looked at from the top, and the first that applies says', () => {
    const rules = [
      rule('deny', { user: ['bob'] }),
      rule('skip', { service: ['sshd'], network: ['192.0.2.0/24'] }),
      rule('both'),
    ];
    expect(matchRule(rules, ALICE)).toEqual({
      number: 2,
      action: 'skip',
      because: 'the service is sshd; 192.0.2.77 is in 192.0.2.0/24',
    });
    expect(matchRule(rules, { ...ALICE, user: 'bob' })).toMatchObject({ number: 1 });
    expect(matchRule(rules, { ...ALICE, remoteHost: '198.51.100.1' })).toEqual({
      number: 3,
      action: 'both',
      because: 'it has no condition',
    });
    expect(matchRule(rules.slice(0, 2), { ...ALICE, service: 'login' })).toBeUndefined();
    expect(matchRule([], ALICE)).toBeUndefined();
  });

  it('apply only when all their conditions hold', () => {
    const all = { service: ['login', 'sshd'], user: ['alice'], group: ['staff'], network: ['192.0.2.0/24'] };
    expect(explainRule(rule('skip', all), ALICE).applies).toBe(true);
    const others: Partial<KnownSubject>[] = [
      { service: 'sshd2' },
      { user: 'alice2' },
      { groups: ['staff2'] },
      { remoteHost: '192.0.3.1' },
    ];
    for (const other of others) {
      expect(explainRule(rule('skip', all), { ...ALICE, ...other }).applies, JSON.stringify(other)).toBe(
        false,
      );
    }
  });

  it.each(RULE_ACTIONS)('with networks: a host name counts against who comes from it (%s)', (action) => {
    const everywhere = rule(action, { network: ['0.0.0.0/0', '::/0'] });
    for (const remoteHost of ['host.example.com', '192.0.2.1.example.com', 'localhost', '?', '10']) {
      expect(explainRule(everywhere, { ...ALICE, remoteHost }).applies).toBe(action !== 'skip');
    }
  });

  it.each(RULE_ACTIONS)('with groups: unknown groups count against the user (%s)', (action) => {
    expect(explainRule(rule(action, { group: ['staff'] }), { ...ALICE, groups: 'unknown' })).toEqual({
      applies: action !== 'skip',
      because: 'the groups of the user cannot be looked up',
    });
  });

  it.each(RULE_ACTIONS)('ask for groups only when nothing else decides (%s)', (action) => {
    const subject = { ...ALICE, groups: 'not-asked' } as const;
    const above = rule('deny', { user: ['alice'] });
    const grouped = rule(action, { service: ['sshd'], network: ['192.0.2.0/24'], group: ['staff'] });
    const below = rule('both');
    expect(matchRule([grouped, below], subject)).toBe(NEEDS_GROUPS);
    expect(matchRule([above, grouped], subject)).toMatchObject({ number: 1 });
    expect(matchRule([below, grouped], subject)).toMatchObject({ number: 1 });
    for (const other of [{ service: 'login' }, { remoteHost: '198.51.100.1' }, { remoteHost: undefined }]) {
      expect(matchRule([grouped, below], { ...subject, ...other })).toMatchObject({ number: 2 });
    }
    expect(matchRule([grouped], { ...subject, user: undefined })).toBeUndefined();
    const byName = { ...subject, remoteHost: 'host.example.com' };
    expect(matchRule([grouped], byName)).toBe(action === 'skip' ? undefined : NEEDS_GROUPS);
  });

  it.each(RULE_ACTIONS)('with networks never apply to local logins (%s)', (action) => {
    const everywhere = rule(action, { network: ['0.0.0.0/0', '::/0'] });
    expect(explainRule(everywhere, { ...ALICE, remoteHost: undefined }).applies).toBe(false);
    expect(explainRule(everywhere, { ...ALICE, remoteHost: '' }).applies).toBe(false);
  });

  it.each(RULE_ACTIONS)('that name users or groups never apply to unknown users (%s)', (action) => {
    const nobody = { ...ALICE, user: undefined, groups: [] };
    expect(explainRule(rule(action, { user: ['alice'] }), nobody).applies).toBe(false);
    expect(explainRule(rule(action, { group: ['staff'] }), nobody).applies).toBe(false);
    expect(explainRule(rule(action, { service: ['sshd'] }), nobody).applies).toBe(true);
  });

  it('say why they do not apply', () => {
    expect(explainRule(rule('deny', { group: ['wheel', 'adm'] }), ALICE).because).toBe(
      'the user is not in wheel or adm',
    );
    expect(explainRule(rule('deny', { network: ['10.0.0.0/8'] }), ALICE).because).toBe(
      '192.0.2.77 is not in 10.0.0.0/8',
    );
  });
});

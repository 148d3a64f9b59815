/* One fuzzed login: the script, the time, and the parts that act it out.
 * system.c stands between the module and libc, daemon.c is the other end of
 * the socket, oracle.c knows the right behaviour of the module. */
#ifndef LOGIN_H
#define LOGIN_H

#include <security/pam_appl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model.h"
#include "script.h"

struct login {
	struct script script;
	int64_t clock_ms;
	unsigned calls[CALLS]; /* how often each was made */
	uint64_t descriptors;  /* those that the module has opened */
	size_t typed_next;
};

extern struct login login;

/* Aborts, and so tells the fuzzer that an invariant is broken. */
void require(bool good, const char *what);

/* Calls from the loaded module at this path are the script's from now on. */
void system_watch(const char *path);

/* The open descriptors from 0 to 31, as bits. */
uint64_t open_descriptors(void);

void daemon_listen(const char *path);
void daemon_begin(void);
void daemon_accept(void);
/* Takes what the module has sent. */
void daemon_hear(void);
/**
 * Does the possible steps. Returns the milliseconds until its next step, -1 if
 * it waits for the module.
 */
int daemon_act(void);
void daemon_pass(int ms);
size_t daemon_sent(void);
void daemon_end(void);

void oracle_begin(void);
/* The module has the name of the user, or not. */
void oracle_user(int rc, const char *user);
/* A call on the way to the daemon failed. */
void oracle_not_connected(int error);
/* The module has seen that the daemon is the right one. */
void oracle_connected(void);
void oracle_said(const uint8_t *bytes, size_t size);
void oracle_heard(const uint8_t *bytes, size_t size);
/* The complete frames from the module. */
unsigned oracle_frames_said(void);
void oracle_waited(int64_t ms);
void oracle_stacked(const char *token);
void oracle_shown(int style, const char *text);
void oracle_answered(int rc, const char *text);
void oracle_token_set(const char *token, int rc);
void oracle_delay(unsigned usec);
/* `rc` is what the module returned. */
void oracle_end(int rc);

#endif

/*
 * The scripted daemon: a real socket in the fuzzer's own process and thread. It
 * acts only while the module waits for it, so runs are repeatable.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "login.h"

static int listener = -1;

static struct {
	int fd;
	size_t next, offset, sent;
	unsigned passed_ms;
	unsigned turn; /* the frames of the module that it waits for */
} daemon_state;

void daemon_listen(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	require(strlen(path) < sizeof address.sun_path, "TMPDIR is too long");
	memcpy(address.sun_path, path, strlen(path));
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	require(bind(listener, (struct sockaddr *)&address,
	            sizeof address) == 0 &&
	        listen(listener, 4) == 0,
	    "no socket to listen on");
}

void daemon_begin(void)
{
	memset(&daemon_state, 0, sizeof daemon_state);
	daemon_state.fd = -1;
	daemon_state.turn = 1;
}

void daemon_accept(void)
{
	daemon_end();
	daemon_state.fd = accept4(listener, NULL, NULL,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);
	require(daemon_state.fd >= 0, "accept");
}

void daemon_hear(void)
{
	uint8_t bytes[4096];
	ssize_t n;

	if (daemon_state.fd < 0)
		return;
	while ((n = recv(daemon_state.fd, bytes, sizeof bytes, 0)) > 0)
		oracle_said(bytes, (size_t)n);
}

/* Sends on. False if the socket is full. */
static bool send_step(const struct step *step)
{
	size_t left = step->size - daemon_state.offset;
	ssize_t n = send(daemon_state.fd, step->bytes + daemon_state.offset,
	    left, MSG_NOSIGNAL);

	if (n < 0 && errno == EAGAIN)
		return false;
	if (n < 0)
		n = (ssize_t)left; /* nobody is there */
	daemon_state.sent += (size_t)n;
	daemon_state.offset += (size_t)n;
	return daemon_state.offset == step->size;
}

static void hang_up(const struct step *step)
{
	if (step->value % 2 == 1)
		shutdown(daemon_state.fd, SHUT_WR);
	else
		daemon_end();
}

static void next_step(void)
{
	daemon_state.next++;
	daemon_state.offset = 0;
	daemon_state.passed_ms = 0;
}

static bool is_prompt(const struct step *step)
{
	return step->size > 2 && step->bytes[2] == PROMPT;
}

int daemon_act(void)
{
	const struct script *script = &login.script;
	const struct step *step;

	while (daemon_state.fd >= 0 && daemon_state.next < script->step_count) {
		step = &script->steps[daemon_state.next];
		if (step->in_turn && oracle_frames_said() < daemon_state.turn)
			return -1;
		if (step->op == OP_WAIT && step->value > daemon_state.passed_ms)
			return (int)(step->value - daemon_state.passed_ms);
		if (step->op == OP_HANGUP)
			hang_up(step);
		else if (step->size > 0 && !send_step(step))
			return -1;
		daemon_state.turn += is_prompt(step);
		next_step();
	}
	return -1;
}

void daemon_pass(int ms)
{
	daemon_state.passed_ms += (unsigned)ms;
}

size_t daemon_sent(void)
{
	return daemon_state.sent;
}

void daemon_end(void)
{
	if (daemon_state.fd >= 0)
		close(daemon_state.fd);
	daemon_state.fd = -1;
}

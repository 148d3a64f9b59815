/* probe [SOCKET]
 *
 * Asks the daemon whether it answers, on the way that logins take: connects to
 * pam.sock, sends a START of version 0, which no module ever sends, and waits
 * for the VERDICT "unavailable" (docs/reference/protocol.md, START). It leaves
 * nothing behind, in the log neither.
 *
 * Exit status: 0 it answers, or nobody listens there, which a restart would
 * not change; 1 it does not answer: it hangs; 64 the command line is wrong.
 * systemd runs it (scripts/systemd/pve-authenticator-health.service). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "channel.h"

#define EXIT_USAGE 64
#define TRIES 2
/* Twice what a login waits for its first frame. */
#define TRY_MS (2 * FIRST_FRAME_MS)

/* u16 length, START, version 0, no flags. */
static const unsigned char question[] = { 0, 3, 0x01, 0, 0 };
/* A frame begins with a u16 length and its type. */
#define TYPE_AT 2
#define VERDICT 0x83

static int ask(const char *path)
{
	struct channel channel = { .fd = -1 };
	unsigned char heard[TYPE_AT + 1];
	int error;

	channel_allow(&channel, TRY_MS);
	error = channel_open(&channel, path);
	if (error == 0)
		error = channel_write(&channel, question, sizeof question);
	if (error == 0)
		error = channel_read(&channel, heard, sizeof heard);
	if (error == 0 && heard[TYPE_AT] != VERDICT)
		error = EPROTO;
	channel_close(&channel);
	return error;
}

int main(int argc, char *argv[])
{
	const char *path = argc > 1 ? argv[1] : ROOT_SOCKET;
	int error = 0;

	if (argc > 2) {
		fputs("usage: probe [SOCKET]\n", stderr);
		return EXIT_USAGE;
	}
	for (int try = 0; try < TRIES; try++) {
		error = ask(path);
		if (error == 0 || error == ENOENT || error == ECONNREFUSED)
			return 0;
	}
	fprintf(stderr, "the daemon does not answer at %s: %s\n", path,
	    strerror(error));
	return 1;
}

/* One login: carries questions from the daemon to the person and answers
 * back, until the daemon's verdict. It knows no factor. */
#ifndef RELAY_H
#define RELAY_H

#include <security/pam_modules.h>

#include "wire.h"

/* The last typed or stacked answer whose tail was asked for. */
struct kept {
	size_t fits[SHAPES_MAX]; /* length of the tail if sent, else 0 */
	size_t length;
	char text[TYPED_MAX + 1];
};

struct relay {
	pam_handle_t *pamh;
	const char *paths[SOCKET_PATHS];
	bool silent, nullok;
	unsigned prompts, notices;
	bool last_word; /* all that it may still say is no */
	bool finished; /* `verdict` is the daemon's, and counts */
	struct message verdict;
	struct channel channel;
	struct frame frame;
	struct kept kept;
};

/* Connects, sends the START that `relay->frame` holds and converses until the
 * verdict. Returns PAM_SUCCESS if there is one, whatever it says. */
int relay_run(struct relay *relay);

/* After verdict ok: sets PAM_AUTHTOK to what was typed before the tail that
 * the verdict names, if it names one. */
int relay_forward(struct relay *relay);

#endif

/* One connection to the daemon: bytes with a deadline. Every function returns
 * 0 or an errno; ETIMEDOUT: the deadline passed, ECONNRESET: end of file. */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first belongs to root, the second is open to everybody. */
#define ROOT_SOCKET "/run/pve-authenticator/pam.sock"
#define USER_SOCKET "/run/pve-authenticator/user.sock"
enum { SOCKET_PATHS = 2, DAEMON_UID = 0, FIRST_FREE_FD = 3 };

/* The reasons for these times stand in docs/reference/protocol.md. */
enum { CONNECT_MS = 2000, BACKLOG_RETRY_MS = 20 };
enum { FIRST_FRAME_MS = 5000, ANSWERED_MS = 15000 };
enum { MS_PER_SECOND = 1000, NS_PER_MS = 1000000 };

struct channel {
	int fd;           /* -1: none */
	int64_t deadline; /* milliseconds of CLOCK_MONOTONIC */
};

/* Sets the deadline to `ms` from now. */
void channel_allow(struct channel *channel, int64_t ms);

/* Connects to the socket at `path` before the deadline, as often as a full
 * backlog needs. EPERM: who listens there is not the daemon. */
int channel_open(struct channel *channel, const char *path);

/* Reads or writes exactly `size` bytes. What has already come is read even
 * after the deadline, because the conversation with the person may have taken
 * long. */
int channel_read(struct channel *channel, void *bytes, size_t size);
int channel_write(struct channel *channel, const void *bytes, size_t size);

/* True if the daemon has sent something, or hung up. */
bool channel_pending(const struct channel *channel);

void channel_close(struct channel *channel);

#endif
